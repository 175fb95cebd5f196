//! Runs a version that does not go with the target's.

use crate::peer::Behaviour;
use crate::wire::path::Route;
use serde_json::json;

/// Runs the next major release.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-major",
    about: "runs the next major release",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            body["platform_version"] = json!("2.0.0");
            body["metadata"]["platform_version"] = json!("2.0.0");
        }
    }),
    ..Behaviour::HONEST
};
