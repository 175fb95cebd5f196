//! The platform accepts any value as a disclosure member: a blank, an invalid contact, an invalid version.

use serde_json::{Map, Value};

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-value-as-disclosure",
    &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection), ("1.5", Detection)],
    "Takes whatever stands in a member for its disclosure: blanks, a contact that is none, a version that is none.",
    |policy| policy.handshake.disclosure_gaps = gaps,
);

fn gaps(metadata: &Map<String, Value>) -> Vec<&'static str> {
    ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"]
        .into_iter()
        .filter(|name| !metadata.contains_key(*name))
        .collect()
}
