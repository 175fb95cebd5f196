//! Runs a version that does not go with the target's.

use crate::peer::Behaviour;
use crate::wire::path::Route;
use serde_json::json;

/// Says that it runs what is no version at all.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-garbage",
    about: "says that it runs what is no version at all",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        // In accept it would be no disclosure at all (1.3).
        if matches!(sending.route, Route::Heartbeat) {
            body["platform_version"] = json!("latest-ish");
            body["metadata"]["platform_version"] = json!("latest-ish");
        }
    }),
    answer: Some(|asked, _, body| {
        if matches!(asked.route, Route::Heartbeat) && body["data"].is_object() {
            body["data"]["platform_version"] = json!("latest-ish");
            body["data"]["metadata"]["platform_version"] = json!("latest-ish");
        }
    }),
    ..Behaviour::HONEST
};
