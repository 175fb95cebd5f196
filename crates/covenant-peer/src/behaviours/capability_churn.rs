//! Deviation: the peer declares and withdraws capabilities again and again.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Number of heartbeats that a busy peer may send in sequence: up to six a minute are never a flood
/// (`binding.md`).
const HEARTBEATS_MAX: u64 = 6;

/// Behaviour whose every second heartbeat withdraws the capabilities that the one before declared.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "capability-churn",
    about: "declares other capabilities in each of many heartbeats",
    clauses: &["6.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Heartbeat) && sending.before % 2 == 1 {
            body["capabilities"] = json!({"resource_kinds": []});
        }
    }),
    oversteps: Some(|route, before| *route == Route::Heartbeat && before >= HEARTBEATS_MAX),
    ..Behaviour::CONFORMING
};
