//! The progress of a watch with the audit excerpt that its peer may request (5.3).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::peer::CallOutcome;
use crate::transcript::PUT_OFF;

/// The interval between two requests for an excerpt that was promised.
const ASK_AGAIN_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The time limit for the excerpt (5.3).
const EXCERPT_DUE: SignedDuration = SignedDuration::from_hours(72);
/// The time after the limit at which the excerpt is requested once more, so that a slow clock alone does not
/// make it late.
const EXCERPT_LATE: SignedDuration = SignedDuration::from_mins(2);
/// The longest request id that is sent back, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 256;
const SERVER_ERRORS: u16 = 500;

/// The progress of the peer with its audit excerpt.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Excerpt {
    requested_at: Option<Timestamp>,
    checked_at: Option<Timestamp>,
    request_id: Option<String>,
    is_received: bool,
    was_refused: bool,
}

impl Excerpt {
    /// Returns whether the excerpt has to be requested now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let has_passed = |at: Timestamp| now.duration_since(at) >= self.pause(now);
        !self.is_received && self.checked_at.is_none_or(has_passed)
    }

    /// Returns the query of the request, with the id that the target gave an earlier one.
    pub(super) fn query(&self) -> Option<String> {
        self.request_id.as_ref().map(|id| format!("request_id={id}"))
    }

    /// Records the result of a request for the excerpt. If the target could not answer, the next heartbeat
    /// retries it. So it does after the first refusal: the target may have changed the state of the peering in between,
    /// and one refusal alone proves nothing.
    pub(super) fn take(&mut self, asked: &CallOutcome, now: Timestamp) {
        if !asked.status.is_some_and(|status| status < SERVER_ERRORS && !PUT_OFF.contains(&status)) {
            return;
        }
        let is_refused = !asked.succeeded();
        if is_refused && !std::mem::replace(&mut self.was_refused, true) {
            return;
        }
        self.requested_at.get_or_insert(now);
        self.checked_at = Some(now);
        self.is_received = asked.status == Some(200);
        let promised = asked.data.as_ref().and_then(|data| match &data["request_id"] {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        });
        if let Some(id) = promised.filter(|id| id.len() <= REQUEST_ID_BYTES_MAX) {
            self.request_id.get_or_insert_with(|| byte_serialize(id.as_bytes()).collect());
        }
    }

    /// Returns the time until the next request. The pause never passes the time limit of the excerpt or the
    /// late check after it.
    fn pause(&self, now: Timestamp) -> SignedDuration {
        let after = |due| self.requested_at.and_then(|at| at.saturating_add(due).ok());
        let next =
            [EXCERPT_DUE, EXCERPT_DUE + EXCERPT_LATE].into_iter().filter_map(after).find(|due| *due > now);
        next.map_or(ASK_AGAIN_EVERY, |due| ASK_AGAIN_EVERY.min(due.duration_since(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_excerpt_is_requested_each_hour_and_at_its_time_limit() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let excerpt = Excerpt { requested_at: Some(start), ..Excerpt::default() };
        assert_eq!(excerpt.pause(start), SignedDuration::from_hours(1));
        let late = start + SignedDuration::from_mins(72 * 60 - 10);
        assert_eq!(excerpt.pause(late), SignedDuration::from_mins(10));
        let due = start + SignedDuration::from_hours(72);
        assert_eq!(excerpt.pause(due), SignedDuration::from_mins(2));
        assert_eq!(excerpt.pause(start + SignedDuration::from_hours(80)), SignedDuration::from_hours(1));
    }

    #[test]
    fn an_excerpt_that_could_not_be_answered_is_requested_again_and_any_id_is_sent_back() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let mut excerpt = Excerpt::default();
        excerpt.take(&CallOutcome { status: Some(503), ..CallOutcome::default() }, now);
        excerpt.take(&CallOutcome::default(), now);
        excerpt.take(&CallOutcome { status: Some(403), ..CallOutcome::default() }, now);
        assert_eq!((excerpt.requested_at, excerpt.checked_at), (None, None));
        assert!(excerpt.is_due(now), "one refusal alone proves nothing");
        let data = Some(json!({"request_id": "req_1&x=2"}));
        excerpt.take(&CallOutcome { status: Some(202), data, ..CallOutcome::default() }, now);
        assert_eq!(excerpt.request_id.as_deref(), Some("req_1%26x%3D2"));
        assert_eq!(excerpt.checked_at, Some(now));
    }

    #[test]
    fn a_second_refusal_is_not_repeated_at_once() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let mut excerpt = Excerpt::default();
        for status in [403, 408, 425, 429, 503] {
            excerpt.take(&CallOutcome { status: Some(status), ..CallOutcome::default() }, now);
            assert!(excerpt.is_due(now), "{status} is the first refusal, or none");
        }
        excerpt.take(&CallOutcome { status: Some(403), ..CallOutcome::default() }, now);
        assert!(!excerpt.is_due(now));
    }
}
