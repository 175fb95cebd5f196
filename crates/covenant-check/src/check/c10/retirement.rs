//! Commitment 10: the announcement of the end of a release, and the time before it (10.2).

use jiff::SignedDuration;
use semver::Version;
use serde_json::{Value, json};

use super::{is_a_limit, is_like, shortfall, took_nothing, was_lost};
use crate::check::CheckResult;
use crate::check::common::{reply_summary, said_by_target, whole_text};
use crate::check::legacy::Arguments;
use covenant_model::transcript::{Direction, Entry, Exchange, Operation, Trace};
use covenant_model::wire::notice::kind;

/// The minimum time between the announcement of a major break and the break.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn deprecation_announced(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(format!("{} or metadata.deprecations, with breaks_at", kind::RELEASE_DEPRECATED))
    };
    let declared = trace.operation(with.text("start")).filter(|(_, operation)| operation.failure.is_none());
    let Some((declared, operation)) = declared else {
        return expect(CheckResult::unproven("no release was deprecated", vec![]));
    };
    let breaks_at = day_of_the_end(operation).unwrap_or_default();
    let recorded: Vec<_> =
        announcements(trace, with.text("peer")).filter(|(entry, _)| entry.n > declared).collect();
    let dated = recorded.iter().find(|(_, said)| said.to_string().contains(breaks_at));
    match (dated, recorded.first()) {
        (Some((entry, _)), _) => {
            expect(CheckResult::kept(format!("announced for {breaks_at}"), vec![declared, entry.n]))
        }
        (None, Some((entry, _))) => {
            expect(CheckResult::unproven("announced, and its date can't be found", vec![declared, entry.n]))
        }
        (None, None) => expect(match reported_otherwise(trace, with.text("peer")) {
            Some(entry) => {
                CheckResult::unproven("told of something like it, in another form", vec![declared, entry.n])
            }
            None => CheckResult::broken("the partner was told nothing of it", vec![declared]),
        }),
    }
}

/// Evaluates whether a break waits for its notice. A target may serve the previous version for ever: only a
/// break that comes too early violates the clause.
pub(super) fn break_waits_for_its_notice(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every call accepted until 30 days after the notice");
    let labels = with.texts("call");
    let is_call = |entry: &Entry| entry.label.as_deref().is_some_and(|label| labels.contains(&label));
    let calls: Vec<_> = trace.exchanges().filter(|(entry, _)| is_call(entry)).collect();
    let broken = (0..calls.len()).find(|place| ends_there(trace, &calls[..=*place]));
    let (Some((first, served)), None | Some(1..)) = (calls.first(), broken) else {
        return expect(CheckResult::unproven("the version before was never served", vec![]));
    };
    let before_the_end = calls.iter().take(broken.unwrap_or(calls.len()));
    let failed =
        { before_the_end }.find_map(|(entry, call)| Some((entry.n, shortfall(trace, entry.n, call)?)));
    if let Some((n, why)) = failed {
        let actual = format!("neither served nor cut off from what was served: {why}");
        return expect(CheckResult::unproven(actual, vec![n]));
    }
    let Some((entry, exchange)) = broken.and_then(|place| calls.get(place)) else {
        let evidence = calls.iter().map(|(entry, _)| entry.n).collect();
        if !runs_another_major(trace, first.n) {
            return expect(CheckResult::unproven(
                "the target never said that it runs another major version",
                evidence,
            ));
        }
        return expect(CheckResult::kept(
            format!("served throughout, from {}", reply_summary(served)),
            evidence,
        ));
    };
    let end = shortfall(trace, entry.n, exchange).unwrap_or_else(|| reply_summary(exchange));
    let announced = announcements(trace, with.text("peer"))
        .map(|(recorded, _)| recorded)
        .find(|recorded| recorded.n < entry.n);
    let otherwise = || reported_otherwise(trace, with.text("peer")).filter(|recorded| recorded.n < entry.n);
    let Some(recorded) = announced.or_else(otherwise) else {
        return expect(CheckResult::broken(
            format!("no notice of any form, and {end}"),
            vec![first.n, entry.n],
        ));
    };
    let evidence = vec![first.n, recorded.n, entry.n];
    let notice = entry.at.duration_since(recorded.at);
    let actual = format!("{} hours after the notice {end}", notice.as_hours());
    if notice < NOTICE {
        return expect(CheckResult::broken(actual, evidence));
    }
    if announced.is_none() {
        return expect(CheckResult::unproven(format!("{actual}; that was in another form"), evidence));
    }
    expect(CheckResult::kept(actual, evidence))
}

/// Returns whether the last of these calls shows that a version is no longer served: it was rejected, or it
/// had no effect, and a similar call was served before.
fn ends_there(trace: &Trace, calls: &[(&Entry, &Exchange)]) -> bool {
    let Some(((entry, last), before)) = calls.split_last() else { return false };
    let was_served = before.iter().any(|(entry, other)| {
        other.peer == last.peer && is_like(other, last) && shortfall(trace, entry.n, other).is_none()
    });
    let comes_to_nothing = took_nothing(last) || was_lost(trace, entry.n, last);
    cuts_off(last) && before.is_empty() || was_served && (cuts_off(last) || comes_to_nothing)
}

/// Returns whether a call was rejected because of the version of its caller, as far as can be seen. A limit,
/// a failed answer and a broken connection are not the end of a version.
fn cuts_off(exchange: &Exchange) -> bool {
    const SPEAKS_ANOTHER: [u16; 2] = [501, 505];
    let speaks_another = exchange.status().is_some_and(|status| SPEAKS_ANOTHER.contains(&status));
    exchange.says_otherwise() || speaks_another || (exchange.was_refused() && !is_a_limit(exchange))
}

/// Returns whether the target reported, after that entry, another major version than it reported first:
/// without it there was no break to wait for.
fn runs_another_major(trace: &Trace, since: u64) -> bool {
    let recorded = trace.exchanges().filter_map(|(entry, exchange)| {
        Some((entry.n, Version::parse(&exchange.release_reported()?).ok()?.major))
    });
    let recorded: Vec<(u64, u64)> = recorded.collect();
    let first = recorded.first().map(|(_, major)| *major);
    recorded.iter().any(|(n, major)| *n > since && Some(*major) != first)
}

/// Returns the target's messages to a peer, requests and answers, that announce the end of a release.
fn announcements<'a>(trace: &'a Trace, peer: &'a str) -> impl Iterator<Item = (&'a Entry, Value)> {
    let exchanges = trace.exchanges().filter(move |(_, exchange)| exchange.peer == peer);
    exchanges.filter_map(|(entry, exchange)| {
        let (said, headers) = match exchange.direction {
            Direction::FromTarget => (exchange.sent().cloned(), Some(&exchange.request.headers)),
            Direction::ToTarget => {
                (exchange.data(), exchange.response.as_ref().map(|answer| &answer.headers))
            }
        };
        let mut recorded = headers.into_iter().flatten().filter(|(name, _)| speaks_of_an_end(name));
        let header = || recorded.next().map(|(name, value)| json!({ name.as_str(): value }));
        Some((entry, said.filter(tells_of_an_end).or_else(header)?))
    })
}

/// Returns the first entry in which the target announced the end to a peer in a form that the binding doesn't
/// know: it sent the address or the day that its operator gave.
fn reported_otherwise<'a>(trace: &'a Trace, peer: &str) -> Option<&'a Entry> {
    let mut operations = trace.entries().iter().filter_map(|entry| Some((entry.n, entry.operation()?)));
    let (declared, operation) = operations.find(|(_, operation)| operation.method == "release.deprecate")?;
    let address = operation.parameters["notice_url"].as_str().unwrap_or_default().to_lowercase();
    let day = day_of_the_end(operation).unwrap_or_default();
    let tells = |entry: &Entry, exchange: &Exchange| {
        let text = said_by_target(exchange).map(whole_text).unwrap_or_default();
        // On the day itself, every dated text contains it.
        let is_before = entry.at.to_string().get(..10).is_some_and(|today| today < day);
        !address.is_empty() && text.contains(&address) || is_before && text.contains(day)
    };
    let mut said = trace.exchanges().filter(|(entry, said)| entry.n > declared && said.peer == peer);
    said.find(|(entry, exchange)| tells(entry, exchange)).map(|(entry, _)| entry)
}

/// Returns the date alone: the time may be written in other ways.
fn day_of_the_end(deprecate: &Operation) -> Option<&str> {
    deprecate.parameters["breaks_at"].as_str()?.get(..10)
}

/// Returns whether a text mentions an end. `Deprecation` and `Sunset` are also the names of headers (RFC
/// 9745, RFC 8594).
fn speaks_of_an_end(text: &str) -> bool {
    const WORDS: [&str; 5] = ["deprecat", "sunset", "end_of_life", "end-of-life", "breaks_at"];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Returns whether a value announces an end: an event, or a member that is not empty and whose name mentions
/// an end. A remark in a text is no notice.
fn tells_of_an_end(said: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    match said {
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_event =
                matches!(name.as_str(), "kind" | "type") && member.as_str().is_some_and(speaks_of_an_end);
            is_event || (speaks_of_an_end(name) && !is_empty(member)) || tells_of_an_end(member)
        }),
        Value::Array(items) => items.iter().any(tells_of_an_end),
        _ => false,
    }
}
