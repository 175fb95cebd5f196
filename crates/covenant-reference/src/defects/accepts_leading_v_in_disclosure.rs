//! The platform ignores a leading `v` in a disclosed version.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::handshake::disclosure;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-leading-v-in-disclosure",
    &[("1.5", Detection)],
    "Takes `v1.4.0` for a semantic version in a disclosure.",
    |policy| policy.handshake.disclosure_gaps = gaps,
);

fn gaps(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let mut read = metadata.clone();
    if let Some(version) = metadata.get("platform_version").and_then(Value::as_str) {
        read.insert("platform_version".to_owned(), json!(version.trim_start_matches('v')));
    }
    disclosure::gaps(&read)
}
