//! The platform discloses a version of two numbers in place of a semantic version.

use serde_json::{Map, Value, json};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-two-part-version",
    &[("1.3", Conduct)],
    "Says two numbers where a semantic version is due.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("platform_version".to_owned(), json!("1.4"));
    }
}
