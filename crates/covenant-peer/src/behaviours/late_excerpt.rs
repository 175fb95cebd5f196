//! Deviation: the peer delivers audit excerpts one hour after the limit of 72 hours.

use crate::{Asked, Behaviour};
use covenant_model::wire::path::Route;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const PROMISED_FOR: SignedDuration = SignedDuration::from_hours(72);
const GIVEN_AFTER: SignedDuration = SignedDuration::from_hours(73);

/// Behaviour that promises each excerpt for the end of the 72 hours, and delivers it one hour later.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "late-excerpt",
    about: "promises each audit excerpt for the end of the 72 hours and delivers it an hour later",
    clauses: &["5.3"],
    answer: Some(|asked, status, body| {
        if *asked.route != Route::AuditExcerpts || *status != 200 {
            return;
        }
        let first = first_asked(asked).unwrap_or(asked.now);
        if asked.now.duration_since(first) < GIVEN_AFTER {
            let due_at = first.saturating_add(PROMISED_FOR).unwrap_or(Timestamp::MAX);
            let data = json!({"request_id": first.as_second().to_string(), "due_at": due_at.to_string()});
            (*status, *body) = (202, json!({"success": true, "data": data}));
        }
    }),
    ..Behaviour::CONFORMING
};

/// Returns the time of the promise that the call asks for, read from the promise's id.
fn first_asked(asked: &Asked<'_>) -> Option<Timestamp> {
    let mut pairs = url::form_urlencoded::parse(asked.query.as_bytes());
    let (_, name) = pairs.find(|(name, _)| name == "request_id")?;
    Timestamp::from_second(name.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the status of the response to a request made `hours` after the promise, by the promise's id.
    fn after(hours: i64) -> u16 {
        let start = Timestamp::from_second(1_780_000_000).expect("a time");
        let now = start + SignedDuration::from_hours(hours);
        let query = "request_id=1780000000";
        let asked = Asked { route: &Route::AuditExcerpts, query, now, granted_before: 0 };
        let (mut status, mut body) = (200, json!({}));
        (BEHAVIOUR.answer.expect("a hook"))(&asked, &mut status, &mut body);
        status
    }

    #[test]
    fn what_was_promised_comes_an_hour_late() {
        assert_eq!([after(0), after(72), after(73)], [202, 202, 200]);
    }
}
