//! The platform never discloses its `operator_contact`.

use serde_json::{Map, Value};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-no-operator-contact",
    &[("1.1", Conduct)],
    "Never says its `operator_contact`.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("operator_contact");
    }
}
