//! 6.1: the capabilities channel is not flooded.

use jiff::{SignedDuration, Timestamp};

use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use crate::check::{CheckResult, Verdict, common};
use covenant_model::transcript::{Direction, Entry, Exchange, FLOOD, Trace, What};
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::header;
use covenant_model::wire::path::Route;

/// The number of accept and heartbeat calls in any window that is a flood (`binding.md`, "Numbers").
const FLOOD_CALLS: usize = 300;
/// The number of calls in any window that is never too many.
const FEW_CALLS: usize = 6;
/// The window.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// The time without a heartbeat after which a peer is stale (`binding.md`, "Numbers").
const STALE_SECONDS: u32 = 300;
/// The maximum difference between the recorded moment of a call and the moment in which the target saw it.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

pub(super) const PACES_ITSELF: LegacyCheck = LegacyCheck {
    name: "target-limits-own-calls",
    about: "the target's own handshakes and heartbeats are no flood, also when the peer answers errors",
    parameters: &[
        LegacyParameter::required("peer", "the peer's name"),
        LegacyParameter::required("start", "label of the operation from which on it is watched"),
    ],
    evaluate: paces_itself,
};

pub(super) const FLOOD_LIMITED: LegacyCheck = LegacyCheck {
    name: "flood-limited",
    about: "a flood is limited, a few calls are not, and a quiet peer is served meanwhile",
    parameters: &[
        LegacyParameter::required("call", "label of the flooding calls"),
        LegacyParameter::required("control", "label of the same calls, few"),
        LegacyParameter::required("probe", "label of a quiet peer's calls, made after the flood"),
    ],
    evaluate: flood_limited,
};

pub(super) const FLOOD_REPORTED: LegacyCheck = LegacyCheck {
    name: "flood-reported",
    about: "a flood, where it came about, is reported: a finding about the peer that was not there before",
    parameters: &[
        LegacyParameter::required("call", "label of the flooding calls"),
        LegacyParameter::required("peer", "the name of the peer that floods, or the label of its proposal"),
        LegacyParameter::required("before", "label of the scan before the flood"),
        LegacyParameter::required("after", "label of the scan after it"),
        LegacyParameter::required("conforming", "the name of a peer that did nothing wrong"),
        LegacyParameter::optional(
            "apart_from",
            "the name of a peer that made a few such calls: kinds raised about it too say nothing",
        ),
    ],
    evaluate: flood_reported,
};

pub(super) const LIMITS_BY_THE_MINUTE: LegacyCheck = LegacyCheck {
    name: "rate-limit-is-per-minute",
    about: "up to six calls in any minute are never limited, three hundred are, and a quiet peer is always served",
    parameters: &[
        LegacyParameter::required("peer", "the name of the peer that calls often"),
        LegacyParameter::required("call", "label of its calls"),
        LegacyParameter::required("probe", "label of a quiet peer's calls in between"),
    ],
    evaluate: limits_by_the_minute,
};

fn limits_by_the_minute(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(format!("429 never up to {FEW_CALLS} calls in 60 s, and some among {FLOOD_CALLS}"))
    };
    let mut quiet = trace.exchanges_labelled(with.text("probe"));
    if let Some((n, exchange)) = quiet.find(|call| is_unserved(trace, call)) {
        return expect(quiet_unserved(trace, n, exchange));
    }
    let mut calls: Vec<_> = trace
        .exchanges_of(with.text("peer"), Direction::ToTarget)
        .filter(|(_, exchange)| is_counted(exchange))
        .collect();
    calls.sort_by_key(|(entry, _)| entry.at);
    let mut barred_until = None;
    for (place, (entry, exchange)) in calls.iter().enumerate() {
        // Calls of one moment are recorded in the order of their answers: all of them count.
        let since = &calls[..place + calls[place..].partition_point(|(other, _)| other.at <= entry.at)];
        let within =
            |span| &since[since.partition_point(|(other, _)| entry.at.duration_since(other.at) >= span)..];
        let few = within(WINDOW + SLACK).len();
        if exchange.status() == Some(429) && few <= FEW_CALLS && barred_until.is_none_or(|end| entry.at > end)
        {
            return expect(CheckResult::broken(format!("limited at {few} calls within 60 s"), vec![entry.n]));
        }
        let many = within(WINDOW - SLACK);
        if many.len() >= FLOOD_CALLS && many.iter().all(|(_, call)| call.succeeded()) {
            let actual = format!("all of {} calls within 60 s were served", many.len());
            return expect(CheckResult::broken(actual, vec![entry.n]));
        }
        if few > FEW_CALLS {
            barred_until = barred_until.max(bars_until(entry, exchange));
        }
    }
    match calls.last() {
        Some((entry, _)) => {
            expect(CheckResult::kept(format!("{} calls, limited as they should", calls.len()), vec![entry.n]))
        }
        None => expect(CheckResult::unproven("there were no calls", vec![])),
    }
}

fn is_counted(exchange: &Exchange) -> bool {
    matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat))
}

/// Returns the end of a limit that too many calls caused, as the target itself reports it, but no later than
/// the moment at which the peer becomes stale.
fn bars_until(entry: &Entry, exchange: &Exchange) -> Option<Timestamp> {
    let answer = exchange.response.as_ref().filter(|answer| answer.status == Some(429))?;
    let header = |name: &str| {
        let mut headers = answer.headers.iter();
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let seen_report = header(header::RETRY_AFTER)?;
    let wait = match seen_report.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(seconds.into()),
        Err(_) => moment(seen_report)?.duration_since(header("Date").and_then(moment).unwrap_or(entry.at)),
    };
    let wait = wait.clamp(SignedDuration::ZERO, SignedDuration::from_secs(STALE_SECONDS.into()));
    entry.at.checked_add(wait + SLACK).ok()
}

/// Parses a moment in the form of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn moment(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp())
}

/// Returns whether a call was not served although it had to be. If the calls within a minute are too many,
/// one of them may be limited.
fn is_unserved(trace: &Trace, (n, exchange): &(u64, &Exchange)) -> bool {
    if exchange.status() != Some(429) {
        return !exchange.succeeded();
    }
    let calls = || {
        let calls = trace.exchanges_of(&exchange.peer, Direction::ToTarget);
        calls.filter(|(_, call)| is_counted(call))
    };
    let at = calls().find(|(entry, _)| entry.n == *n).map(|(entry, _)| entry.at);
    let is_recent =
        |other: &Entry| at.is_some_and(|at| other.at <= at && at.duration_since(other.at) < WINDOW + SLACK);
    calls().filter(|(entry, _)| is_recent(entry)).count() <= FEW_CALLS
}

/// Returns the result for a quiet peer that was not served. A platform may limit by address as well as by
/// peer: a peer that shares its address may be limited because of another.
fn quiet_unserved(trace: &Trace, n: u64, quiet: &Exchange) -> CheckResult {
    let actual = format!("a quiet peer was not served: {}", common::reply_summary(quiet));
    let mut others = trace.exchanges().map(|(_, other)| other).filter(|other| other.peer != quiet.peer);
    let may_share = quiet.source.is_none() || others.any(|other| other.source == quiet.source);
    if quiet.status() == Some(429) && may_share {
        return CheckResult::unproven(format!("{actual}, and it may share its address"), vec![n]);
    }
    CheckResult::broken(actual, vec![n])
}

fn paces_itself(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting(format!("fewer than {FLOOD_CALLS} such calls in any 60 s"));
    let Some((start, _)) = trace.operation(with.text("start")) else {
        return expect(CheckResult::unproven("the target was not watched", vec![]));
    };
    let mut calls: Vec<_> = trace
        .exchanges_of(with.text("peer"), Direction::FromTarget)
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)))
        .collect();
    if calls.is_empty() {
        return expect(CheckResult::unproven("the target called nobody", vec![start]));
    }
    calls.sort_by_key(|(entry, _)| entry.at);
    let times: Vec<Timestamp> = calls.iter().map(|(entry, _)| entry.at).collect();
    let (most, first) = densest(&times, WINDOW);
    let evidence = vec![start, calls[first].0.n, calls[first + most - 1].0.n];
    if most >= FLOOD_CALLS {
        return expect(CheckResult::broken(format!("{most} calls within 60 s"), evidence));
    }
    if let Some(noted) = flood_noted(trace, with.text("peer")) {
        let actual = "a flood of calls that each said what the one before said";
        return expect(CheckResult::broken(actual, vec![start, noted]));
    }
    expect(CheckResult::kept(format!("at most {most} calls within 60 s"), evidence))
}

/// Returns the note of a flood. The trace does not record all calls with the same content, but it notes that
/// there were too many at once.
fn flood_noted(trace: &Trace, peer: &str) -> Option<u64> {
    let is_flood =
        |what: &What| matches!(what, What::Note(note) if note.kind == FLOOD && note.facts["peer"] == peer);
    trace.entries().iter().find(|entry| is_flood(&entry.what)).map(|entry| entry.n)
}

/// Returns the largest number of these sorted times within a span, and the index of the first of them.
fn densest(times: &[Timestamp], span: SignedDuration) -> (usize, usize) {
    let mut behind = 0;
    let crowds = times.iter().enumerate().map(|(first, start)| {
        while times.get(behind).is_some_and(|time| time.duration_since(*start) < span) {
            behind += 1;
        }
        (behind - first, first)
    });
    crowds.max().unwrap_or_default()
}

/// Returns whether enough calls under a label came within 60 s to be a flood. A slow target receives none.
fn is_flood(trace: &Trace, label: &str) -> bool {
    let calls = trace.labelled(label).filter(|entry| entry.exchange().is_some());
    let mut times: Vec<Timestamp> = calls.map(|entry| entry.at).collect();
    times.sort_unstable();
    densest(&times, WINDOW - SLACK).0 >= FLOOD_CALLS
}

fn flood_limited(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("some of the flood answered 429, the few calls and the quiet peer's never")
    };
    let few: Vec<_> = trace.exchanges_labelled(with.text("control")).collect();
    let flood: Vec<_> = trace.exchanges_labelled(with.text("call")).collect();
    let quiet: Vec<_> = trace.exchanges_labelled(with.text("probe")).collect();
    if few.is_empty() || quiet.is_empty() || flood.len() < FLOOD_CALLS {
        return expect(CheckResult::unproven(
            "the flood, the few calls or the quiet peer are missing",
            vec![],
        ));
    }
    let limited = |(_, exchange): &&(u64, &Exchange)| exchange.status() == Some(429);
    if let Some((n, _)) = few.iter().find(limited) {
        return expect(CheckResult::broken(format!("one of {} calls was limited", few.len()), vec![*n]));
    }
    if let Some((n, exchange)) = quiet.iter().find(|call| is_unserved(trace, call)) {
        return expect(quiet_unserved(trace, *n, exchange));
    }
    let ends = vec![flood[0].0, flood[flood.len() - 1].0];
    if let Some((n, _)) = flood.iter().find(limited) {
        let count = flood.iter().filter(limited).count();
        let actual = format!("{count} of {} calls were limited", flood.len());
        return expect(CheckResult::kept(actual, vec![ends[0], *n, ends[1]]));
    }
    if is_cut_off(&flood) {
        return expect(CheckResult::kept("the flood was cut off", ends));
    }
    if !is_flood(trace, with.text("call")) {
        let actual = format!("{} calls took longer than 60 s: there was no flood", flood.len());
        return expect(CheckResult::unproven(actual, ends));
    }
    let served = flood.iter().filter(|(_, exchange)| exchange.succeeded()).count();
    if served == flood.len() {
        return expect(CheckResult::broken(format!("all of {served} calls were served"), ends));
    }
    if let Some(answer) = answer_to_each(&flood) {
        let actual = format!("none of {} calls was limited: each was answered {answer}", flood.len());
        return expect(CheckResult::broken(actual, ends));
    }
    let actual = format!("{served} of {} calls were served, and none was limited", flood.len());
    expect(CheckResult::unproven(actual, ends))
}

/// Returns the answer to each of many handshakes, if all were refused for the same content: the last was
/// evaluated like the first. A refusal because of a token may also be due to the number of calls.
fn answer_to_each(flood: &[(u64, &Exchange)]) -> Option<String> {
    const FOR_WHAT_IT_SAYS: [u16; 3] = [400, 409, 422];
    let answer = |exchange: &Exchange| match (exchange.route(), exchange.status(), exchange.answer()) {
        (Some(Route::Accept), Some(status), Some(Answer::Refusal(refusal))) => {
            FOR_WHAT_IT_SAYS.contains(&status).then(|| format!("{status} {}", refusal.error))
        }
        _ => None,
    };
    let first = answer(flood.first()?.1)?;
    flood.iter().all(|(_, exchange)| answer(exchange).as_ref() == Some(&first)).then_some(first)
}

/// Returns whether a peer was cut off. A peer that was suspended for a flood, or whose connection was closed,
/// was limited too. A handshake is refused for other reasons than its number, and a server that fails does
/// not limit.
fn is_cut_off(flood: &[(u64, &Exchange)]) -> bool {
    flood.last().is_some_and(|(_, last)| {
        let is_hung_up = last.failure.as_ref().is_some_and(|failure| failure.kind != "timeout");
        last.route() != Some(Route::Accept) && (last.was_refused() || is_hung_up)
    })
}

fn flood_reported(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let result = common::finding_raised(trace, with);
    if result.verdict == Verdict::Kept {
        return result;
    }
    if !is_flood(trace, with.text("call")) {
        let actual = "the calls took longer than 60 s: there was no flood";
        return CheckResult { verdict: Verdict::Unproven, actual: actual.to_owned(), ..result };
    }
    // The target need not know whose calls these are when the token is used up (`binding.md`, reading 15).
    let is_used_up = |call: &Exchange| {
        call.route() == Some(Route::Accept) && (call.succeeded() || call.status() == Some(401))
    };
    if trace.exchanges_labelled(with.text("call")).any(|(_, call)| is_used_up(call)) {
        let actual = "the token was used up: these calls need not be known as the peer's";
        return CheckResult { verdict: Verdict::Unproven, actual: actual.to_owned(), ..result };
    }
    result
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use serde_json::{Value, json};

    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Note, Operation, Recorder};

    fn exchange(peer: &str, direction: Direction, route: &Route, status: u16, wait: Option<u32>) -> What {
        let wait = wait.map(|seconds| seconds.to_string());
        let headers: Vec<(&str, &str)> = wait.iter().map(|seconds| ("Retry-After", &**seconds)).collect();
        What::Exchange(
            Exchange::made(peer, direction)
                .on("POST", &route.to_string())
                .sending(json!({}))
                .answered_with(status, if status < 400 { json!({}) } else { json!({"error": "no"}) })
                .heading(&headers),
        )
    }

    fn looked(method: &str, result: Value) -> What {
        let (parameters, result) = (json!({}), Some(result));
        What::Operation(Operation { method: method.into(), parameters, result, failure: None })
    }

    /// Creates the recorder of a trace, and its clock.
    fn begin() -> (Recorder, Clock) {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        (Recorder::in_memory("x", clock.clone()), clock)
    }

    fn evaluated(
        evaluate: fn(&Trace, Arguments<'_>) -> CheckResult,
        trace: &Trace,
        with: &[(&str, &str)],
    ) -> Verdict {
        let with: BTreeMap<_, _> =
            with.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        evaluate(trace, Arguments::new(&with)).verdict
    }

    #[test]
    fn the_windows_at_both_ends_of_time_are_windows_too() {
        for moment in [Timestamp::MIN, Timestamp::MAX] {
            let recorder = Recorder::in_memory("x", Clock::manual(moment));
            recorder.record(None, Some("start"), looked("clock.now", json!({})));
            for direction in [Direction::FromTarget, Direction::ToTarget] {
                recorder.record(None, None, exchange("alice", direction, &Route::Heartbeat, 200, None));
            }
            let with = [("peer", "alice"), ("start", "start"), ("call", "call"), ("probe", "probe")];
            assert_eq!(evaluated(paces_itself, &recorder.trace(), &with), Kept, "{moment}");
            assert_eq!(evaluated(limits_by_the_minute, &recorder.trace(), &with), Kept, "{moment}");
        }
    }

    /// Returns the verdict on bursts of heartbeats: seconds without calls, then these statuses.
    fn by_the_minute(bursts: &[(i64, &[u16], Option<u32>)]) -> Verdict {
        let (recorder, clock) = begin();
        for (calm, statuses, wait) in bursts {
            clock.advance_seconds(*calm);
            for status in *statuses {
                let wait = wait.filter(|_| *status == 429);
                let call = exchange("busy", Direction::ToTarget, &Route::Heartbeat, *status, wait);
                recorder.record(None, Some("busy"), call);
            }
        }
        evaluated(
            limits_by_the_minute,
            &recorder.trace(),
            &[("peer", "busy"), ("call", "busy"), ("probe", "quiet")],
        )
    }

    #[test]
    fn a_limit_is_right_or_wrong_by_the_calls_of_a_minute_give_or_take_two_seconds() {
        assert_eq!(by_the_minute(&[(0, &[200; 5], None), (0, &[429], None)]), Broken);
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (0, &[429], None)]), Kept);
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (61, &[429], None)]), Kept);
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (62, &[429], None)]), Broken);
        assert_eq!(by_the_minute(&[(0, &[200; 150], None), (57, &[200; 150], None)]), Broken);
        assert_eq!(by_the_minute(&[(0, &[200; 150], None), (59, &[200; 150], None)]), Kept);
    }

    #[test]
    fn a_limit_lasts_for_as_long_as_it_says_itself() {
        let flood = [[200; 60].as_slice(), &[429; 60]].concat();
        let then = |wait, calm| by_the_minute(&[(0, &flood, wait), (calm, &[429; 3], wait)]);
        assert_eq!(then(Some(300), 200), Kept);
        assert_eq!(then(Some(300), 303), Broken);
        assert_eq!(then(None, 200), Broken);
        assert_eq!(then(Some(u32::MAX), 303), Broken, "no longer than until it is stale");
        let flood_and: Vec<(i64, &[u16], _)> = vec![(0, &flood, Some(60))];
        let renewed = [flood_and, vec![(59, &[429], Some(60)); 3]].concat();
        assert_eq!(by_the_minute(&renewed), Broken, "a call that was refused for the limit renews none");
    }

    #[test]
    fn a_limit_may_say_its_end_as_a_date() {
        let flood = [[200; 60].as_slice(), &[429; 60]].concat();
        let seen_report = |headers: &[(&str, &str)], calm| {
            let (recorder, clock) = begin();
            let beat = |status| {
                let What::Exchange(mut call) =
                    exchange("busy", Direction::ToTarget, &Route::Heartbeat, status, None)
                else {
                    unreachable!("an exchange")
                };
                let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                call.response.as_mut().expect("an answer").headers = headers.collect();
                recorder.record(None, Some("busy"), What::Exchange(call));
            };
            flood.iter().copied().for_each(beat);
            clock.advance_seconds(calm);
            beat(429);
            let with = [("peer", "busy"), ("call", "busy"), ("probe", "quiet")];
            evaluated(limits_by_the_minute, &recorder.trace(), &with)
        };
        let until = ("retry-after", "Mon, 01 Jun 2026 00:03:00 GMT");
        assert_eq!(seen_report(&[until], 170), Kept);
        assert_eq!(seen_report(&[until], 183), Broken);
        let behind = ("date", "Mon, 01 Jun 2026 00:01:00 GMT");
        assert_eq!([seen_report(&[until, behind], 110), seen_report(&[until, behind], 123)], [Kept, Broken]);
        assert_eq!(
            seen_report(&[("retry-after", "Sat, 01 Jan 2028 00:00:00 GMT")], 303),
            Broken,
            "no longer than that"
        );
        assert_eq!(seen_report(&[("retry-after", "soon")], 170), Broken);
    }

    /// Builds a flood of 300 calls of this route, `at_once` of them at a time, with a second between the
    /// groups.
    fn flooded(route: &Route, status: u16, at_once: usize) -> Trace {
        let (recorder, clock) = begin();
        let call =
            |peer: &str, route: &Route, status| exchange(peer, Direction::ToTarget, route, status, None);
        let accepted = looked("peer.propose", json!({"peer_id": "m"}));
        recorder.record(None, Some("mallory"), accepted);
        recorder.record(None, Some("before"), looked("governance.scan", json!({"findings": []})));
        recorder.record(None, Some("few"), call("alice", route, status));
        for number in 0..FLOOD_CALLS {
            clock.advance_seconds(i64::from(number % at_once == 0));
            recorder.record(None, Some("flood"), call("mallory", route, status));
        }
        recorder.record(None, Some("quiet"), call("alice", &Route::Heartbeat, 200));
        recorder.record(None, Some("after"), looked("governance.scan", json!({"findings": []})));
        recorder.trace()
    }

    #[test]
    fn calls_of_more_than_a_minute_are_no_flood() {
        let with = [("call", "flood"), ("control", "few"), ("probe", "quiet")];
        let report = [("call", "flood"), ("peer", "mallory"), ("before", "before"), ("after", "after")];
        for (at_once, expected) in [(10, Broken), (5, Unproven)] {
            let trace = flooded(&Route::Heartbeat, 200, at_once);
            assert_eq!(evaluated(flood_limited, &trace, &with), expected);
            assert_eq!(evaluated(flood_reported, &trace, &report), expected);
        }
    }

    #[test]
    fn who_shares_an_address_may_pay_for_another() {
        let with = [("call", "flood"), ("control", "few"), ("probe", "quiet")];
        let from = |peer: &str, status, last: Option<u8>| {
            let What::Exchange(call) = exchange(peer, Direction::ToTarget, &Route::Heartbeat, status, None)
            else {
                unreachable!("an exchange")
            };
            What::Exchange(Exchange { source: last.map(|last| Ipv4Addr::new(127, 0, 1, last)), ..call })
        };
        let quiet_limited = |quiet, flooding| {
            let (recorder, _) = begin();
            recorder.record(None, Some("few"), from("alice", 200, quiet));
            for _ in 0..FLOOD_CALLS {
                recorder.record(None, Some("flood"), from("mallory", 429, flooding));
            }
            recorder.record(None, Some("quiet"), from("alice", 429, quiet));
            evaluated(flood_limited, &recorder.trace(), &with)
        };
        assert_eq!(quiet_limited(Some(1), Some(2)), Broken);
        assert_eq!(quiet_limited(Some(1), Some(1)), Unproven);
        assert_eq!(quiet_limited(None, None), Unproven);
    }

    #[test]
    fn a_flood_of_handshakes_is_known_as_the_peers_while_its_token_is_good() {
        let report = [("call", "flood"), ("peer", "mallory"), ("before", "before"), ("after", "after")];
        for (status, expected) in [(401, Unproven), (200, Unproven), (422, Broken), (429, Broken)] {
            let trace = flooded(&Route::Accept, status, 10);
            assert_eq!(evaluated(flood_reported, &trace, &report), expected, "{status}");
        }
    }

    #[test]
    fn what_is_refused_for_another_reason_is_not_limited() {
        let with = [("call", "flood"), ("control", "few"), ("probe", "quiet")];
        for (route, status, expected) in [
            (Route::Accept, 422, Broken),
            (Route::Accept, 401, Unproven),
            (Route::Accept, 403, Unproven),
            (Route::Accept, 200, Broken),
            (Route::Heartbeat, 403, Kept),
            (Route::Heartbeat, 500, Unproven),
        ] {
            assert_eq!(
                evaluated(flood_limited, &flooded(&route, status, 10), &with),
                expected,
                "{route} {status}"
            );
        }
    }

    #[test]
    fn who_is_reported_another_thing_in_the_end_may_have_been_limited() {
        let with = [("call", "flood"), ("control", "few"), ("probe", "quiet")];
        let (recorder, _) = begin();
        let call = |text: &str| {
            let What::Exchange(call) = exchange("m", Direction::ToTarget, &Route::Accept, 422, None) else {
                unreachable!("an exchange")
            };
            What::Exchange(call.answered_with(422, json!({"error": text})))
        };
        recorder.record(None, Some("few"), call("no request"));
        for number in 0..FLOOD_CALLS {
            let text = if number < 100 { "no request" } else { "enough" };
            recorder.record(None, Some("flood"), call(text));
        }
        recorder.record(
            None,
            Some("quiet"),
            exchange("q", Direction::ToTarget, &Route::Heartbeat, 200, None),
        );
        assert_eq!(evaluated(flood_limited, &recorder.trace(), &with), Unproven);
    }

    #[test]
    fn a_flood_of_calls_that_are_not_reported_is_a_flood() {
        let paced = |crowded: Option<&str>| {
            let (recorder, _) = begin();
            recorder.record(None, Some("start"), looked("clock.now", json!({})));
            recorder.record(
                None,
                None,
                exchange("alice", Direction::FromTarget, &Route::Heartbeat, 200, None),
            );
            if let Some(peer) = crowded {
                let (kind, facts) = (FLOOD.to_owned(), json!({ "peer": peer }));
                recorder.record(None, None, What::Note(Note { kind, message: String::new(), facts }));
            }
            evaluated(paces_itself, &recorder.trace(), &[("peer", "alice"), ("start", "start")])
        };
        assert_eq!([paced(None), paced(Some("bob")), paced(Some("alice"))], [Kept, Kept, Broken]);
    }
}
