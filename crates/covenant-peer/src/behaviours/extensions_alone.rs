//! Deviation: the peer declares extensions, and sends no capabilities at all.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that declares extensions and has no member `capabilities`.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "extensions-alone",
    about: "declares extensions and sends no capabilities at all",
    clauses: &["3.4"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            body["extension_slugs"] = json!(["marketplace", "trading"]);
            if let Some(members) = body.as_object_mut() {
                members.remove("capabilities");
            }
        }
    }),
    ..Behaviour::CONFORMING
};
