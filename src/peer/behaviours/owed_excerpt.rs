//! Promises audit excerpts and never delivers one.

use crate::peer::Behaviour;
use crate::wire::path::Route;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Answers every request for an excerpt, each repeated one too, with a new promise.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "owed-excerpt",
    about: "answers every request for an excerpt, each repeated one too, with a new promise",
    clauses: &["5.3"],
    answer: Some(|asked, status, body| {
        if *asked.route == Route::AuditExcerpts
            && *status == 200
            && let Some(due_at) = due_at(body)
        {
            *status = 202;
            *body = json!({"success": true, "data": {"request_id": "owed", "due_at": due_at}});
        }
    }),
    ..Behaviour::HONEST
};

/// As late as a promise may be: the window of the excerpt ends with the present.
fn due_at(excerpt: &Value) -> Option<String> {
    let now: Timestamp = excerpt["data"]["window"]["until"].as_str()?.parse().ok()?;
    Some((now + SignedDuration::from_hours(72)).to_string())
}
