//! The platform discloses a blank as its last known-good release.

use serde_json::{Map, Value, json};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-a-blank-last-good-release",
    &[("1.4", Conduct)],
    "Says nothing where its last known-good release is due.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("last_known_good_release".to_owned(), json!(""));
    }
}
