//! Stops honouring the grants that it gave.

use crate::peer::Behaviour;
use crate::wire::path::Route;
use serde_json::json;

/// Refuses every read under a grant that is neither expired nor revoked.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "broken-grant",
    about: "refuses every read under a grant that is neither expired nor revoked",
    clauses: &["2.1"],
    answer: Some(|route, status, body| {
        if matches!(route, Route::Resource { .. }) && *status == 200 {
            *status = 401;
            *body = json!({"error": "Grant token does not resolve"});
        }
    }),
    ..Behaviour::HONEST
};
