//! Deviation: the peer stops honouring the grants that it issued.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that honours the first read and refuses every later one, under a grant that is neither expired
/// nor revoked.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "broken-grant",
    about: "accepts the first read under a grant and refuses every later one, while the grant is neither expired nor revoked",
    clauses: &["2.1"],
    answer: Some(|asked, status, body| {
        if matches!(asked.route, Route::Resource { .. }) && *status == 200 && asked.granted_before > 0 {
            *status = 401;
            *body = json!({"error": "Grant token does not resolve"});
        }
    }),
    ..Behaviour::CONFORMING
};
