//! The platform omits the revocation event from the heartbeat.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use serde_json::json;

pub(super) const PATCH: Patch = Patch::defect(
    "sends-revoked-status-without-event",
    &[("4.1", Conduct)],
    "announces a revocation by its status and without the event",
    |policy| {
        policy.out.override_heartbeat = |body| {
            if body.get("status") == Some(&json!("revoked")) {
                body.remove("events");
            }
        };
    },
);
