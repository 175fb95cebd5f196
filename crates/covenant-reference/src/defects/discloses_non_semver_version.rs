//! The platform discloses `latest` as its version.

use serde_json::{Map, Value, json};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-non-semver-version",
    &[("1.3", Conduct)],
    "Says `latest` where its version is due.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    members.insert("platform_version".to_owned(), json!("latest"));
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("platform_version".to_owned(), json!("latest"));
    }
}
