//! The platform accepts any word as a version, and treats it as compatible.

use serde_json::{Map, Value};

use crate::Patch;
use crate::handshake::{disclosure, versions};
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-text-as-version",
    &[("1.3", Detection), ("1.5", Detection), ("10.1", Detection)],
    "Takes any word for a version, and for one that goes with its own.",
    |policy| {
        policy.handshake.disclosure_gaps = gaps;
        policy.handshake.versions_go_together =
            |ours, theirs| is_word(theirs) || versions::go_together(ours, theirs);
    },
);

/// Returns whether the text is neither blank nor a version.
fn is_word(version: &str) -> bool {
    !version.trim().is_empty() && !disclosure::is_version(version)
}

fn gaps(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let mut gaps = disclosure::gaps(metadata);
    if metadata.get("platform_version").and_then(Value::as_str).is_some_and(is_word) {
        gaps.retain(|gap| *gap != "platform_version");
    }
    gaps
}
