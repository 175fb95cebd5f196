//! Deviation: the peer cuts off the migrations in flight when it leaves.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that refuses to commit any open migration.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "rejects-open-migrations",
    about: "revokes with notice and refuses at once to commit the migrations in flight",
    clauses: &["4.3"],
    answer: Some(|asked, status, body| {
        if matches!(asked.route, Route::MigrationCommit { .. }) {
            *status = 401;
            *body = json!({"success": false, "error": "the peering is revoked"});
        }
    }),
    ..Behaviour::CONFORMING
};
