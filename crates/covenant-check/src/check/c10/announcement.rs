//! The announcement of the end of a release (10.2).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::check::general::{full_text, message_of_target};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::operator::{OperatorMethod, release};
use covenant_model::transcript::{Body, Direction, Entry, Operation, Trace};

/// Returns the target's messages to a peer, requests and answers, that announce the end of a release.
pub(super) fn announcements<'a>(trace: &'a Trace, peer: &'a str) -> impl Iterator<Item = (Call<'a>, Value)> {
    calls(trace).of(peer).filter_map(|call| {
        let exchange = call.exchange;
        let (body, headers) = match exchange.direction {
            Direction::FromTarget => (exchange.sent().cloned(), Some(&exchange.request.headers)),
            Direction::ToTarget => {
                (exchange.data(), exchange.response.as_ref().map(|response| &response.headers))
            }
        };
        let mut named = headers.into_iter().flatten().filter(|(name, _)| mentions_end(name));
        let header = || named.next().map(|(name, value)| json!({ name.as_str(): value }));
        Some((call, body.filter(announces_end).or_else(header)?))
    })
}

/// Returns the first call in which the target announced the end to a peer in a form that the binding doesn't
/// know: it sent the address or the day that its operator named.
pub(super) fn announced_otherwise<'a>(trace: &'a Trace, peer: &'a str) -> Option<Call<'a>> {
    let (declared, operation) = trace.operations([release::Deprecate::METHOD]).next()?;
    let address = operation.parameters["notice_url"].as_str().unwrap_or_default().to_lowercase();
    // A date alone may be one of another time zone.
    let end = end_of_release(operation);
    let near = [-1, 0, 1].into_iter().filter_map(|days| {
        let near = end?.checked_add(SignedDuration::from_hours(days * 24)).ok()?;
        Some(near.to_string().get(..10)?.to_owned())
    });
    let near: Vec<String> = near.collect();
    let announces = |call: &Call<'_>| {
        let message = message_of_target(call.exchange);
        let text = message.map(full_text).unwrap_or_default();
        let names_end = || {
            let Some(Body::Json(body)) = message.map(|message| &message.body) else { return false };
            end.is_some_and(|end| call.at() < end && names_moment(body, end))
        };
        // On the day itself, every dated text contains it.
        let now = call.at().to_string();
        let is_before = |day: &str| now.get(..10).is_some_and(|today| today < day);
        !address.is_empty() && text.contains(&address)
            || near.iter().any(|day| is_before(day) && text.contains(day))
            || names_end()
    };
    calls(trace).of(peer).after(before_operation(trace, declared)).find(announces)
}

/// Returns the last entry before an operation that is no call of the target. A call that the target makes during an
/// operation is recorded before the operation is.
pub(super) fn before_operation(trace: &Trace, operation: u64) -> u64 {
    let is_made_by_target =
        |entry: &Entry| entry.exchange().is_some_and(|call| call.direction == Direction::FromTarget);
    let mut before = trace.entries().iter().rev().filter(|entry| entry.n < operation);
    before.find(|entry| !is_made_by_target(entry)).map_or(0, |entry| entry.n)
}

/// Returns the date alone: the time may be written in other ways.
pub(super) fn day_of_end(deprecate: &Operation) -> Option<&str> {
    deprecate.parameters["breaks_at"].as_str()?.get(..10)
}

/// Returns the moment at which the release ends.
pub(super) fn end_of_release(deprecate: &Operation) -> Option<Timestamp> {
    deprecate.parameters["breaks_at"].as_str()?.parse().ok()
}

/// Returns whether a value names a moment to the second, at any depth: as a time with any offset, or in seconds or
/// milliseconds since 1970.
pub(super) fn names_moment(value: &Value, moment: Timestamp) -> bool {
    let is_second = |seconds: i64| seconds == moment.as_second();
    match value {
        Value::String(text) => text.parse::<Timestamp>().is_ok_and(|named| is_second(named.as_second())),
        Value::Number(number) => {
            number.as_i64().is_some_and(|number| is_second(number) || is_second(number.div_euclid(1000)))
        }
        Value::Array(items) => items.iter().any(|item| names_moment(item, moment)),
        Value::Object(members) => members.values().any(|member| names_moment(member, moment)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// Returns whether a text mentions an end. `Deprecation` and `Sunset` are also the names of headers (RFC
/// 9745, RFC 8594).
fn mentions_end(text: &str) -> bool {
    const WORDS: [&str; 5] = ["deprecat", "sunset", "end_of_life", "end-of-life", "breaks_at"];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Returns whether a value announces an end: an event, or a member that is not empty and whose name mentions
/// an end. A remark in a text is no notice.
fn announces_end(body: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    match body {
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_event =
                matches!(name.as_str(), "kind" | "type") && member.as_str().is_some_and(mentions_end);
            is_event || (mentions_end(name) && !is_empty(member)) || announces_end(member)
        }),
        Value::Array(items) => items.iter().any(announces_end),
        _ => false,
    }
}
