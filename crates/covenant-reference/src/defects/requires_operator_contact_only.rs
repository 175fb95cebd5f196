//! The platform treats a disclosure as complete if it has an operator contact.

use serde_json::{Map, Value};

use crate::Patch;
use crate::handshake::disclosure;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "requires-operator-contact-only",
    &[("1.5", Detection), ("1.2", Detection), ("1.4", Detection)],
    "Takes a disclosure for whole when it has an operator contact.",
    |policy| policy.handshake.disclosure_gaps = gaps,
);

fn gaps(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let all = disclosure::gaps(metadata);
    all.into_iter().filter(|member| *member == "operator_contact").collect()
}
