//! The platform accepts a deletion from any peer that may read.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-delete-request-on-resource",
    &[("6.4", Detection)],
    "Takes the deletion of a record from a peer that was never to delete it.",
    |policy| {
        policy.wire.beyond = |call| {
            (call.method == "DELETE" && call.path.contains("/resources/")).then(|| json!({"deleted": true}))
        };
    },
);
