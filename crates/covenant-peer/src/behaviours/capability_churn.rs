//! Declares and takes back, without end.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Heartbeats that a busy peer may send at once: up to six a minute are never a flood (`binding.md`).
const HEARTBEATS_MAX: u64 = 6;

/// Every other heartbeat takes back what the one before declared.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "capability-churn",
    about: "declares something else in each of many heartbeats",
    clauses: &["6.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Heartbeat) && sending.before % 2 == 1 {
            body["capabilities"] = json!({"resource_kinds": []});
        }
    }),
    oversteps: Some(|route, before| *route == Route::Heartbeat && before >= HEARTBEATS_MAX),
    ..Behaviour::CONFORMING
};
