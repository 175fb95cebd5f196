//! Deviation: the peer promises audit excerpts and never delivers one.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Behaviour that answers every request for an excerpt, and every repetition of it, with a new promise.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "repeatedly-postponed-excerpt",
    about: "answers every request for an audit excerpt, also each repeated one, with a new promise",
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
    ..Behaviour::CONFORMING
};

/// Returns the latest due time of a promise: 72 hours after the end of the excerpt's window, which is the
/// present unless the caller sets it. Returns `None` if a timestamp can't hold that time.
fn due_at(excerpt: &Value) -> Option<String> {
    let now: Timestamp = excerpt["data"]["window"]["until"].as_str()?.parse().ok()?;
    now.checked_add(SignedDuration::from_hours(72)).ok().map(|due_at| due_at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_ends_at_the_latest_timestamp_is_valid() {
        let excerpt = |until: &str| json!({"data": {"window": {"until": until}}});
        assert_eq!(due_at(&excerpt("2026-06-01T00:00:00Z")).as_deref(), Some("2026-06-04T00:00:00Z"));
        assert_eq!(due_at(&excerpt("9999-12-30T00:00:00Z")), None);
    }
}
