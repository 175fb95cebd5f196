//! The platform never discloses its data residency.

use serde_json::{Map, Value};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-no-residency",
    &[("8.1", Conduct)],
    "Never says where it keeps data.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    members.remove("data_residency");
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("data_residency");
    }
}
