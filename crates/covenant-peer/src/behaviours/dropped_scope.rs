//! Deviation: the peer narrows the grants that it issued, without notice.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that refuses migrations under a grant that allows them, and honours the other scopes of the
/// grant.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "dropped-scope",
    about: "refuses migrations under a grant that allows them, and honours the grant's other scopes",
    clauses: &["2.2"],
    answer: Some(|asked, status, body| {
        if *asked.route == Route::Migrations && (200..300).contains(status) {
            *status = 403;
            *body = json!({"error": "the grant lacks the scope"});
        }
    }),
    ..Behaviour::CONFORMING
};
