//! The platform discloses a blank as its data residency.

use serde_json::{Map, Value, json};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "declares-a-blank-residency",
    &[("8.1", Conduct)],
    "Says a blank where it is to say where data is kept.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    members.insert("data_residency".to_owned(), json!(" "));
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("data_residency");
    }
}
