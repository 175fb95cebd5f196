//! An excerpt in real time (5.3): two clocks run independently, calls fail, and the reads have gaps.

use jiff::{SignedDuration, Timestamp};

use super::CheckResult;
use super::c05::{DUE, given, names_a_promise};
use super::common::reply_summary;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};

/// The tolerance for two clocks, a slow answer and the interval between reads.
const SLACK: SignedDuration = SignedDuration::from_mins(1);
/// The maximum delay of a promise against the time that the target's clock last showed.
const PROMISE_SLACK: SignedDuration = SignedDuration::from_mins(10);

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[LegacyCheck {
    name: "excerpt-in-real-time",
    about: "an excerpt is given at once, or within the 72 hours for which it may be promised, in real time",
    parameters: &[
        LegacyParameter::required("call", "label of the request and of the looks after it"),
        LegacyParameter::required("probe", "label of calls that every peer may make"),
    ],
    evaluate: watched_excerpt,
}];

fn watched_excerpt(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting("200 with the excerpt within 72 hours of the request");
    let looks = looks(trace, with);
    let Some(first) = looks.iter().find(|look| matches!(look.exchange.status(), Some(200 | 202))) else {
        return expect(match looks.last() {
            Some(look) => CheckResult::broken(
                format!("the request was not taken: {}", reply_summary(look.exchange)),
                vec![look.n],
            ),
            None => CheckResult::unproven("no request came through", vec![]),
        });
    };
    if first.promises_too_late() {
        return expect(CheckResult::broken("promised for later than 72 hours", vec![first.n]));
    }
    let after: Vec<&Look<'_>> = looks.iter().filter(|look| look.n >= first.n).collect();
    let given = after.iter().find(|look| given(look.exchange).is_some());
    let is_nameless = first.is_promise() && !after.iter().any(|look| names_a_promise(look.exchange));
    if given.is_none() && is_nameless {
        return expect(CheckResult::unproven("promised in another form", vec![first.n]));
    }
    let missed = after.iter().find(|look| look.is_missed(first));
    match (given, missed) {
        (Some(look), None) if !look.is_late(first) => {
            let took = look.at.duration_since(first.at);
            expect(CheckResult::kept(format!("given after {took:#}"), vec![first.n, look.n]))
        }
        (_, Some(look)) => expect(CheckResult::broken("not given within 72 hours", vec![first.n, look.n])),
        (Some(look), None) => {
            expect(CheckResult::unproven("nobody looked when the 72 hours were over", vec![first.n, look.n]))
        }
        (None, None) => expect(CheckResult::unproven("the 72 hours were not waited for", vec![first.n])),
    }
}

/// A request for the excerpt that got an answer, or a read of its state.
struct Look<'a> {
    n: u64,
    /// The time by the suite's clock.
    at: Timestamp,
    /// The time by the target's clock, as last shown.
    shown: Option<Timestamp>,
    /// The time that the target's clock shows next: the clock may be set between.
    shown_next: Option<Timestamp>,
    exchange: &'a Exchange,
}

impl Look<'_> {
    fn is_promise(&self) -> bool {
        self.exchange.status() == Some(202)
    }

    fn promises_too_late(&self) -> bool {
        let due_at = self.exchange.data().and_then(|data| data["due_at"].as_str()?.parse::<Timestamp>().ok());
        let is_late =
            |shown: Timestamp, due_at: Timestamp| due_at.duration_since(shown) > DUE + PROMISE_SLACK;
        match (due_at.filter(|_| self.is_promise()), self.shown, self.shown_next) {
            (Some(due_at), Some(before), Some(after)) => is_late(before.max(after), due_at),
            _ => false,
        }
    }

    /// Returns whether the 72 hours were over, by the suite's clock and by the target's: either may be set.
    fn is_late(&self, first: &Self) -> bool {
        let theirs = self.shown.zip(first.shown).map(|(now, then)| now.duration_since(then));
        let is_over = |elapsed: SignedDuration| elapsed > DUE + SLACK;
        is_over(self.at.duration_since(first.at)) && theirs.is_none_or(is_over)
    }

    /// Returns whether the excerpt was not there and overdue, and the read asked for the promised one.
    fn is_missed(&self, first: &Self) -> bool {
        let id = first.exchange.data().map(|data| data["request_id"].clone()).unwrap_or_default();
        let is_a_look = id.is_null() || self.exchange.request.path.as_deref().is_some_and(asks_again);
        is_a_look && given(self.exchange).is_none() && self.is_late(first)
    }
}

fn asks_again(path: &str) -> bool {
    path.contains("request_id=")
}

/// Returns the answered calls, without those that failed or were limited, and without those that were refused
/// while the calls open to every peer were refused too.
fn looks<'a>(trace: &'a Trace, with: Arguments<'_>) -> Vec<Look<'a>> {
    const TOO_MANY: u16 = 429;
    let mut looks: Vec<Look<'_>> = vec![];
    let (mut shown, mut is_welcome, mut confirmed) = (None, false, 0);
    for (entry, exchange) in trace.exchanges() {
        if exchange.direction == Direction::FromTarget {
            continue;
        }
        if let Some(reported) = reported_time(exchange) {
            shown = Some(reported);
            for look in &mut looks {
                look.shown_next.get_or_insert(reported);
            }
        }
        if entry.label.as_deref() == Some(with.text("probe")) {
            is_welcome = exchange.succeeded();
            if !is_welcome {
                drop_refused(&mut looks, confirmed);
            }
            confirmed = looks.len();
        }
        let is_answered = exchange.status().is_some_and(|status| status < 500 && status != TOO_MANY);
        let is_look = entry.label.as_deref() == Some(with.text("call")) && is_answered;
        if is_look && (is_welcome || exchange.succeeded()) {
            looks.push(Look { n: entry.n, at: entry.at, shown, shown_next: None, exchange });
        }
    }
    drop_refused(&mut looks, confirmed);
    looks
}

/// Drops the refused reads from this index on.
fn drop_refused(looks: &mut Vec<Look<'_>>, from: usize) {
    let mut place = 0;
    looks.retain(|look| {
        place += 1;
        place <= from || look.exchange.succeeded()
    });
}

/// Returns the time that the target's clock showed when it answered.
fn reported_time(exchange: &Exchange) -> Option<Timestamp> {
    let data = exchange.data().filter(|_| exchange.succeeded())?;
    let names = ["last_heartbeat_at", "accepted_at", "generated_at", "fetched_at"];
    names.into_iter().find_map(|name| data[name].as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Recorder, What};
    use serde_json::{Value, json};

    const HOUR: i64 = 3600;

    enum Event {
        /// A heartbeat gets this status, when the target's clock is this many seconds ahead of the suite's.
        Beat(u16, i64),
        /// The excerpt is requested, and promised for this many seconds later by the target's clock.
        Promised(i64),
        /// The excerpt is read, with this status; with the id of the promise or without.
        Looked(u16, bool),
        /// The excerpt is requested, and promised without an id or a time.
        Vaguely,
        /// The excerpt is given.
        Given,
        /// This many seconds pass by the suite's clock.
        Passes(i64),
    }
    use Event::{Beat, Given, Looked, Passes, Promised, Vaguely};

    fn verdict(events: &[Event]) -> Verdict {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let clock = Clock::manual(start);
        let recorder = Recorder::in_memory("x", clock.clone());
        let record = |label: &str, query: &str, status: u16, body: &Value| {
            let exchange = Exchange::to_target("auditor")
                .on("GET", &format!("audit_excerpts{query}"))
                .answered_with(status, body.clone());
            recorder.record(None, Some(label), What::Exchange(exchange));
        };
        for event in events {
            let later = |seconds: i64| (clock.now() + SignedDuration::from_secs(seconds)).to_string();
            match event {
                Beat(status, ahead) => {
                    record("beat", "", *status, &json!({"data": {"last_heartbeat_at": later(*ahead)}}));
                }
                Promised(seconds) => {
                    record(
                        "asked",
                        "",
                        202,
                        &json!({"data": {"request_id": "r", "due_at": later(*seconds)}}),
                    );
                }
                Looked(status, by_id) => {
                    let query = if *by_id { "?request_id=r" } else { "" };
                    record("asked", query, *status, &json!({"data": {"request_id": "r"}}));
                }
                Vaguely => record(
                    "asked",
                    "",
                    202,
                    &json!({"data": {"id": "r", "message": "sent to your operator"}}),
                ),
                Given => record("asked", "?request_id=r", 200, &json!({"data": {"events": []}})),
                Passes(seconds) => clock.advance_seconds(*seconds),
            }
        }
        let with = [("call", "asked"), ("probe", "beat")]
            .map(|(name, label)| (name.to_owned(), json!(label)))
            .into();
        watched_excerpt(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn what_is_given_at_the_last_second_is_kept_and_what_is_not_is_broken() {
        assert_eq!(verdict(&[Beat(200, 0), Given, Beat(200, 0)]), Kept);
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
        assert_eq!(waited(Given), Kept);
        assert_eq!(waited(Looked(202, true)), Unproven, "its clock may be half a minute behind");
        let late = [Beat(200, 0), Promised(HOUR), Passes(73 * HOUR), Beat(200, 0), Looked(202, true), Given];
        assert_eq!(verdict(&late), Broken);
        assert_eq!(verdict(&[Beat(200, 0), Promised(80 * HOUR), Beat(200, 0)]), Broken);
        assert_eq!(verdict(&[Beat(200, 0), Looked(404, false), Beat(200, 0)]), Broken);
    }

    #[test]
    fn a_promise_without_a_name_is_not_to_be_followed() {
        let vague = |last: Event| {
            verdict(&[Beat(200, 0), Vaguely, Passes(73 * HOUR), Beat(200, 0), last, Beat(200, 0)])
        };
        assert_eq!(vague(Vaguely), Unproven);
        assert_eq!(vague(Looked(409, false)), Unproven);
    }

    #[test]
    fn a_clock_of_its_own_a_failure_and_a_peering_that_ended_slander_no_one() {
        let day = 24 * HOUR;
        assert_eq!(verdict(&[Beat(200, day), Promised(72 * HOUR + day), Passes(HOUR), Given]), Kept);
        let set_ahead = [Beat(200, 0), Promised(72 * HOUR + day), Beat(200, day), Passes(HOUR), Given];
        assert_eq!(verdict(&set_ahead), Kept);
        let down = [Beat(503, 0), Looked(503, false), Passes(HOUR), Beat(200, 0), Given, Beat(200, 0)];
        assert_eq!(verdict(&down), Kept, "it was down when it was asked first");
        let then = |events: [Event; 3]| {
            let [beat, look, again] = events;
            verdict(&[Beat(200, 0), Promised(72 * HOUR), Passes(73 * HOUR), beat, look, again])
        };
        assert_eq!(then([Beat(200, 0), Looked(503, true), Beat(200, 0)]), Unproven);
        assert_eq!(
            then([Beat(401, 0), Looked(401, true), Beat(401, 0)]),
            Unproven,
            "it has ended the peering"
        );
        assert_eq!(
            then([Beat(200, -2 * HOUR), Looked(202, true), Beat(200, 0)]),
            Unproven,
            "it was set back"
        );
        assert_eq!(then([Beat(200, 0), Looked(202, false), Beat(200, 0)]), Unproven, "another was asked for");
        assert_eq!(then([Beat(200, 0), Looked(404, true), Beat(200, 0)]), Broken);
    }
}
