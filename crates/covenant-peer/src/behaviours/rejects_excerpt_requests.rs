//! Deviation: the peer delivers no audit excerpts.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that refuses every request for an excerpt.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "rejects-excerpt-requests",
    about: "refuses every request for an audit excerpt",
    clauses: &["5.3"],
    answer: Some(|asked, status, body| {
        if *asked.route == Route::AuditExcerpts {
            (*status, *body) = (403, json!({"error": "audit excerpts are not given"}));
        }
    }),
    ..Behaviour::CONFORMING
};
