//! Deviation: the peer declares extensions, but no capabilities.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that declares extensions and not one capability.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "extensions-without-capabilities",
    about: "declares extensions and no capability",
    clauses: &["3.4"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            body["extension_slugs"] = json!(["marketplace", "trading"]);
            body["capabilities"] = json!({"resource_kinds": []});
        }
    }),
    ..Behaviour::CONFORMING
};
