//! Deviation: the peer declares extensions, and an empty object of capabilities.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that declares extensions and an empty object of capabilities.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "extensions-with-empty-capabilities",
    about: "declares extensions and `{}` as its capabilities",
    clauses: &["3.4"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            body["extension_slugs"] = json!(["marketplace", "trading"]);
            body["capabilities"] = json!({});
        }
    }),
    ..Behaviour::CONFORMING
};
