//! Answers every call with an error: valid, if unhelpful. What counts is what the target does then.

use crate::Behaviour;
use serde_json::json;

/// Answers every call with 500.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "answers-errors",
    about: "answers every call with 500, so that the target's poll_timeout shows",
    clauses: &[],
    answer: Some(|_, status, body| {
        *status = 500;
        *body = json!({"success": false, "error": "out of order", "code": "INTERNAL_ERROR"});
    }),
    ..Behaviour::CONFORMING
};
