//! The platform accepts changes to a record from a peer that may only read it.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-write-request-on-resource",
    &[("6.4", Detection)],
    "Takes changes to a record from a peer that was only to read it.",
    |policy| {
        policy.wire.beyond = |call| {
            let is_change = ["PUT", "PATCH", "POST"].contains(&call.method.as_str());
            (is_change && call.path.contains("/resources/")).then(|| json!({"changed": true}))
        };
    },
);
