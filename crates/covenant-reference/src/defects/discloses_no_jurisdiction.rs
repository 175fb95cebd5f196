//! The platform never discloses its `jurisdiction`.

use serde_json::{Map, Value};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-no-jurisdiction",
    &[("1.2", Conduct)],
    "Never says its `jurisdiction`.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("jurisdiction");
    }
}
