//! Deviation: the peer advertises a contract version that it does not honour.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that declares contract version 7002 in its heartbeats, although it agreed to 1.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "contract-mismatch",
    about: "states contract version 7002 in its heartbeats, after it agreed to version 1",
    clauses: &["12.1", "12.2"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Heartbeat) {
            body["contract_version"] = json!(7002);
            body["contract_digest"] = json!("ee".repeat(32));
        }
    }),
    ..Behaviour::CONFORMING
};
