//! `excerpt-in-real-time`.
//!
//! Two clocks run independently, calls fail, and the requests have gaps.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::excerpt::{
    DELIVERED, DUE, PROMISED, excerpt_entries, names_promise, promise_has_id, promised_for,
};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop, require};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::clock::read_moment;
use covenant_model::transcript::{Exchange, Trace};

/// The tolerance for two clocks, a slow answer and the interval between requests.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);
/// The maximum delay of a promise against the time that the target's clock last showed.
const PROMISE_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// In real time, an excerpt is delivered at once, or within the 72 hours for which it may be promised.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ExcerptInRealTime {
    /// The request, and the later requests that show whether the excerpt is there.
    pub call: Label,
    /// Calls that are open to every peer.
    pub probe: Label,
}

impl Check for ExcerptInRealTime {
    const ID: &'static str = "excerpt-in-real-time";
    const EXPECTED: &'static [&'static str] = &["200 with the excerpt within 72 hours of the request"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let requests = self.requests(trace);
        let is_accepted = |request: &&TimedRequest<'_>| {
            matches!(request.call.exchange.status(), Some(DELIVERED | PROMISED))
        };
        let Some(first) = requests.iter().find(is_accepted) else {
            return Err(match requests.as_slice() {
                [] => Stop::unproven("no request was answered", []),
                // The state of the peering may have changed after the probe, and have changed back.
                [once] => Stop::unproven(
                    format!("one request alone was refused: {}", once.call.summary()),
                    [once.call.n()],
                ),
                [.., before, last] => Stop::broken(
                    format!("no request was accepted: {}", last.call.summary()),
                    [before.call.n(), last.call.n()],
                ),
            });
        };
        let n = first.call.n();
        require(!first.promises_too_late(), || "promised for later than 72 hours".to_owned(), [n])?;
        let later: Vec<&TimedRequest<'_>> = requests.iter().filter(|request| request.call.n() >= n).collect();
        let delivered = later.iter().find(|request| request.is_delivered());
        let has_id = later.iter().any(|request| promise_has_id(request.call.exchange));
        if delivered.is_none() && first.is_promise() && !has_id {
            return Err(Stop::unproven("promised in another form", [n]));
        }
        if let Some(missed) = later.iter().find(|request| request.is_missed(first)) {
            return Err(Stop::broken("not delivered within 72 hours", [n, missed.call.n()]));
        }
        let Some(delivered) = delivered else {
            return Err(Stop::unproven("the trace ends before the 72 hours are over", [n]));
        };
        let evidence = [n, delivered.call.n()];
        if delivered.is_overdue(first) {
            return Err(Stop::unproven("no request was made when the 72 hours were over", evidence));
        }
        let elapsed = delivered.call.at().duration_since(first.call.at());
        Ok(Pass::new(format!("delivered after {elapsed:#}"), evidence))
    }
}

impl ExcerptInRealTime {
    /// Returns the answered requests, without those that failed or were limited, and without those that were
    /// refused while the probes were refused too.
    fn requests<'a>(&self, trace: &'a Trace) -> Vec<TimedRequest<'a>> {
        let mut requests: Vec<TimedRequest<'_>> = vec![];
        let (mut shown, mut is_admitted, mut confirmed) = (None, false, 0);
        for call in calls(trace).made_by_peer() {
            if let Some(time) = reported_time(call.exchange) {
                shown = Some(time);
                for request in &mut requests {
                    request.shown_next.get_or_insert(time);
                }
            }
            let label = call.entry.label.as_deref();
            if label == Some(&self.probe) {
                is_admitted = call.exchange.succeeded();
                if !is_admitted {
                    drop_refused(&mut requests, confirmed);
                }
                confirmed = requests.len();
            }
            let status = call.exchange.status();
            let is_answered = status.is_some_and(|status| status < 500) && !call.exchange.was_put_off();
            let is_request = label == Some(&self.call) && is_answered;
            if is_request && (is_admitted || call.exchange.succeeded()) {
                requests.push(TimedRequest { call, shown, shown_next: None });
            }
        }
        drop_refused(&mut requests, confirmed);
        requests
    }
}

/// An answered request for the excerpt, or for its state, with the times that the target's clock showed.
struct TimedRequest<'a> {
    call: Call<'a>,
    /// The time that the target's clock last showed before the request.
    shown: Option<Timestamp>,
    /// The time that it showed next: the clock may be set between the two.
    shown_next: Option<Timestamp>,
}

impl TimedRequest<'_> {
    fn is_delivered(&self) -> bool {
        excerpt_entries(self.call.exchange).is_some()
    }

    fn is_promise(&self) -> bool {
        self.call.exchange.status() == Some(PROMISED)
    }

    fn promises_too_late(&self) -> bool {
        match (promised_for(self.call.exchange), self.shown, self.shown_next) {
            (Some(due_at), Some(before), Some(after)) => {
                due_at.duration_since(before.max(after)) > DUE + PROMISE_TOLERANCE
            }
            _ => false,
        }
    }

    /// Returns whether the 72 hours were over, by the suite's clock and by the target's: either may be set.
    fn is_overdue(&self, first: &Self) -> bool {
        let by_target = self.shown.zip(first.shown).map(|(now, then)| now.duration_since(then));
        let is_over = |elapsed: SignedDuration| elapsed > DUE + TOLERANCE;
        is_over(self.call.at().duration_since(first.call.at())) && by_target.is_none_or(is_over)
    }

    /// Returns whether the excerpt was overdue and not there, and the request was for the promised one.
    fn is_missed(&self, first: &Self) -> bool {
        let id = first.call.exchange.data().map(|data| data["request_id"].clone()).unwrap_or_default();
        let is_about_promise = id.is_null() || names_promise(self.call.exchange);
        is_about_promise && !self.is_delivered() && self.is_overdue(first)
    }
}

/// Drops the refused requests from this index on.
fn drop_refused(requests: &mut Vec<TimedRequest<'_>>, from: usize) {
    let mut place = 0;
    requests.retain(|request| {
        place += 1;
        place <= from || request.call.exchange.succeeded()
    });
}

/// Returns the time that the target's clock showed when it answered.
fn reported_time(exchange: &Exchange) -> Option<Timestamp> {
    let data = exchange.data().filter(|_| exchange.succeeded())?;
    let names = ["last_heartbeat_at", "accepted_at", "generated_at", "fetched_at"];
    names.into_iter().find_map(|name| read_moment(data[name].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    const HOUR: i64 = 3600;

    #[derive(Clone, Copy)]
    enum Event {
        /// A heartbeat gets this status, when the target's clock is this many seconds ahead of the suite's.
        Beat(u16, i64),
        /// The excerpt is requested, and promised for this many seconds later by the target's clock.
        Promised(i64),
        /// The excerpt is requested again, with this answer; with the id of the promise or without.
        Requested(u16, bool),
        /// The excerpt is requested, and promised without an id or a time.
        Vaguely,
        /// The excerpt is delivered.
        Delivered,
        /// This many seconds pass by the suite's clock.
        Passes(i64),
    }
    use Event::{Beat, Delivered, Passes, Promised, Requested, Vaguely};

    /// Adds what an event leaves in the trace.
    fn with_event(builder: TraceBuilder, event: &Event) -> TraceBuilder {
        let now = builder.now();
        let later = |seconds: i64| (now + SignedDuration::from_secs(seconds)).to_string();
        let (label, query, status, data) = match event {
            Beat(status, ahead) => ("beat", "", *status, json!({"last_heartbeat_at": later(*ahead)})),
            Promised(seconds) => ("asked", "", 202, json!({"request_id": "r", "due_at": later(*seconds)})),
            Requested(status, by_id) => {
                ("asked", if *by_id { "?request_id=r" } else { "" }, *status, json!({"request_id": "r"}))
            }
            Vaguely => ("asked", "", 202, json!({"id": "r", "message": "sent to your operator"})),
            Delivered => ("asked", "?request_id=r", 200, json!({"events": []})),
            Passes(seconds) => return builder.pass(*seconds),
        };
        let call = Exchange::to_target("auditor").on("GET", &format!("audit_excerpts{query}"));
        builder.call(label, call.answered_with(status, json!({ "data": data })))
    }

    fn verdict(events: &[Event]) -> Verdict {
        let builder = events.iter().fold(TraceBuilder::new(), with_event);
        builder.verdict::<ExcerptInRealTime>(json!({"call": "asked", "probe": "beat"}))
    }

    #[test]
    fn a_delivery_at_the_last_second_is_kept_and_a_later_one_broken() {
        assert_eq!(verdict(&[Beat(200, 0), Delivered, Beat(200, 0)]), Kept);
        let waited = |last: Event| {
            verdict(&[
                Beat(200, 0),
                Promised(72 * HOUR),
                Passes(72 * HOUR + 30),
                Beat(200, 0),
                last,
                Beat(200, 0),
            ])
        };
        assert_eq!(waited(Delivered), Kept);
        assert_eq!(waited(Requested(202, true)), Unproven, "its clock may be half a minute behind");
        let late =
            [Beat(200, 0), Promised(HOUR), Passes(73 * HOUR), Beat(200, 0), Requested(202, true), Delivered];
        assert_eq!(verdict(&late), Broken);
        assert_eq!(verdict(&[Beat(200, 0), Promised(80 * HOUR), Beat(200, 0)]), Broken);
    }

    #[test]
    fn a_refusal_counts_if_it_is_repeated() {
        let refused = || [Beat(200, 0), Requested(403, false)];
        let then = |rest: &[Event]| {
            verdict(&refused().into_iter().chain(refused()).chain(rest.iter().copied()).collect::<Vec<_>>())
        };
        assert_eq!(then(&[Beat(200, 0)]), Broken);
        assert_eq!(then(&[Beat(200, 0), Delivered]), Kept);
        let once = [Beat(200, 0), Requested(403, false), Beat(200, 0)];
        assert_eq!(verdict(&once), Unproven, "it was degraded in between");
    }

    #[test]
    fn a_promise_without_an_id_cannot_be_followed() {
        let vague = |last: Event| {
            verdict(&[Beat(200, 0), Vaguely, Passes(73 * HOUR), Beat(200, 0), last, Beat(200, 0)])
        };
        assert_eq!(vague(Vaguely), Unproven);
        assert_eq!(vague(Requested(409, false)), Unproven);
    }

    #[test]
    fn another_clock_a_failure_and_an_ended_peering_are_no_breach() {
        let day = 24 * HOUR;
        assert_eq!(verdict(&[Beat(200, day), Promised(72 * HOUR + day), Passes(HOUR), Delivered]), Kept);
        let set_ahead = [Beat(200, 0), Promised(72 * HOUR + day), Beat(200, day), Passes(HOUR), Delivered];
        assert_eq!(verdict(&set_ahead), Kept);
        let down = [Beat(503, 0), Requested(503, false), Passes(HOUR), Beat(200, 0), Delivered, Beat(200, 0)];
        assert_eq!(verdict(&down), Kept, "it was down at the first request");
        let then = |events: [Event; 3]| {
            let [beat, request, again] = events;
            verdict(&[Beat(200, 0), Promised(72 * HOUR), Passes(73 * HOUR), beat, request, again])
        };
        for status in [408, 425, 429, 503] {
            let verdict = then([Beat(200, 0), Requested(status, true), Beat(200, 0)]);
            assert_eq!(verdict, Unproven, "{status}");
        }
        assert_eq!(
            then([Beat(401, 0), Requested(401, true), Beat(401, 0)]),
            Unproven,
            "it has ended the peering"
        );
        assert_eq!(
            then([Beat(200, -2 * HOUR), Requested(202, true), Beat(200, 0)]),
            Unproven,
            "its clock was set back"
        );
        assert_eq!(
            then([Beat(200, 0), Requested(202, false), Beat(200, 0)]),
            Unproven,
            "another excerpt was requested"
        );
        assert_eq!(then([Beat(200, 0), Requested(404, true), Beat(200, 0)]), Broken);
    }
}
