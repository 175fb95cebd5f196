//! Cuts off what was in flight when it left.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Refuses to commit any migration that was opened with it.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "rejects-open-migrations",
    about: "gives notice of its leave, and refuses at once what was in flight",
    clauses: &["4.3"],
    answer: Some(|asked, status, body| {
        if matches!(asked.route, Route::MigrationCommit { .. }) {
            *status = 401;
            *body = json!({"success": false, "error": "the peering is revoked"});
        }
    }),
    ..Behaviour::CONFORMING
};
