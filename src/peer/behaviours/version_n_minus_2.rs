//! Runs a version that does not go with the target's.

use crate::peer::Behaviour;
use crate::wire::path::Route;
use serde_json::json;

/// Runs a release two minor versions behind.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-n-minus-2",
    about: "runs a release two minor versions behind",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            body["platform_version"] = json!("1.2.7");
            body["metadata"]["platform_version"] = json!("1.2.7");
        }
    }),
    ..Behaviour::HONEST
};
