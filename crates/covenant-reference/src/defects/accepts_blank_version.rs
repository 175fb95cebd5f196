//! The platform accepts a blank as a version, and treats it as compatible.

use serde_json::{Map, Value};

use crate::Patch;
use crate::handshake::{disclosure, versions};
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-blank-version",
    &[("1.3", Detection)],
    "Takes a blank for a version, and for one that goes with its own.",
    |policy| {
        policy.handshake.disclosure_gaps = gaps;
        policy.handshake.versions_go_together =
            |ours, theirs| theirs.trim().is_empty() || versions::go_together(ours, theirs);
    },
);

fn gaps(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let mut gaps = disclosure::gaps(metadata);
    if metadata
        .get("platform_version")
        .and_then(Value::as_str)
        .is_some_and(|version| version.trim().is_empty())
    {
        gaps.retain(|gap| *gap != "platform_version");
    }
    gaps
}
