//! The platform discloses a blank as its jurisdiction.

use serde_json::{Map, Value, json};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-a-blank-jurisdiction",
    &[("1.2", Conduct)],
    "Says a blank where its jurisdiction is due.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("jurisdiction".to_owned(), json!("  "));
    }
}
