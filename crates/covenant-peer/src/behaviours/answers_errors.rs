//! Choice: the peer answers every call with an error. This is valid; checks evaluate the reaction of the
//! target.

use crate::Behaviour;
use serde_json::json;

/// Behaviour that answers every call with 500.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "answers-errors",
    about: "answers every call with 500, which shows how often the target retries",
    clauses: &[],
    answer: Some(|_, status, body| {
        *status = 500;
        *body = json!({"success": false, "error": "out of order", "code": "INTERNAL_ERROR"});
    }),
    ..Behaviour::CONFORMING
};
