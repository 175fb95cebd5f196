//! Finds each recorded exchange again in another play, and compares the two.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::{Difference, Known, OF_SHAPE, compare, distance, push};
use super::numbers::waits;
use super::polls::{is_of_each_call, is_polled, of_many, of_polls};
use super::rules::{
    ANSWER_FAILED, ANSWER_GONE, BODY_CHANGED, CALL_ADDED, CALL_GONE, ECHO_CHANGED, ENUM_CHANGED,
    HEADER_CHANGED, LIST_ITEM_GONE, MEMBER_REQUIRED, REFUSAL_GONE, REQUEST_ADMITTED, REQUEST_REFUSED, Rule,
    STATUS_CHANGED, UNIT_CHANGED, VALUE_CHANGED,
};
use super::template::{Key, Template};
use crate::transcript::{Direction, FailureKind};

/// The rules about the terms of an offering, which differ from one offering to the next.
const OF_TERMS: [&Rule; 4] = [ENUM_CHANGED, LIST_ITEM_GONE, UNIT_CHANGED, VALUE_CHANGED];

/// A recorded exchange and the one now, with what differs.
#[derive(Clone, Debug)]
pub(super) struct Compared<'a> {
    /// The recorded exchange; `None` if the call is new.
    pub(super) old: Option<&'a Template>,
    /// The exchange now; `None` if there is none.
    pub(super) new: Option<&'a Template>,
    /// The differences.
    pub(super) differences: Vec<Difference>,
}

impl Compared<'_> {
    /// Returns whether the recorded answer has no counterpart, so that it is compared with nothing.
    pub(super) fn is_unanswered(&self) -> bool {
        self.new.is_none() && self.old.is_some_and(|old| old.direction == Direction::ToTarget)
    }
}

/// Compares the exchanges of one scenario. An answer that is not found again stands alone: the scenario ended before it, or
/// its call was not made. `is_whole` says that the scenario did not end early.
pub(super) fn compare_scenario<'a>(
    old: &'a [Template],
    new: &'a [Template],
    is_whole: bool,
) -> Vec<Compared<'a>> {
    let mut compared = answers(old, new, is_whole);
    compared.extend(calls(old, new));
    for one in &mut compared {
        if let Some(old) = one.old {
            one.differences = old.without_varied(std::mem::take(&mut one.differences));
        }
    }
    compared
}

/// Compares the answers of the target to the calls of the peers.
fn answers<'a>(old: &'a [Template], new: &'a [Template], is_whole: bool) -> Vec<Compared<'a>> {
    let of = |all: &'a [Template]| grouped(all, Direction::ToTarget);
    let (old, new) = (of(old), of(new));
    let mut compared = vec![];
    for (key, group) in &old {
        let now = new.get(key).map_or(&[][..], Vec::as_slice);
        if group.iter().any(|recorded| recorded.many) {
            compared.extend(of_many(group, now));
        } else if is_whole && is_polled(group, now) {
            compared.extend(of_polls(group, now));
        } else {
            compared.extend(group.iter().enumerate().map(|(place, recorded)| {
                let now = now.get(place).copied().filter(|now| is_of_the_same(recorded, now));
                let differences = now.map(|now| answer(recorded, now)).unwrap_or_default();
                Compared { old: Some(*recorded), new: now, differences }
            }));
        }
    }
    compared
}

/// Returns what differs from the nearest of several answers. One with the same status has the nearest meaning, whatever
/// its body lacks.
pub(super) fn nearest_answer<'a>(recorded: &'a Template, now: &[&'a Template]) -> Option<Compared<'a>> {
    let answers = now.iter().map(|new| (*new, recorded.without_varied(answer(recorded, new))));
    let nearest =
        answers.min_by_key(|(new, differences)| (new.status() != recorded.status(), distance(differences)));
    nearest.map(|(new, differences)| Compared { old: Some(recorded), new: Some(new), differences })
}

/// Compares the calls of the target to its peers. Their number and order are the target's choice.
fn calls<'a>(old: &'a [Template], new: &'a [Template]) -> Vec<Compared<'a>> {
    let of = |all: &'a [Template]| grouped(all, Direction::FromTarget);
    let (old, new) = (of(old), of(new));
    let mut compared = vec![];
    for (key, group) in &old {
        let now = new.get(key).map_or(&[][..], Vec::as_slice);
        for recorded in group {
            compared.push(nearest_call(recorded, now));
        }
        compared.extend(now.iter().filter_map(|new| shape_of_call(new, group)));
    }
    for (_, group) in new.iter().filter(|(key, _)| !old.contains_key(key)) {
        let mut differences = vec![];
        push(&mut differences, CALL_ADDED, "request", "the call is new".to_owned());
        compared.extend(group.first().map(|new| Compared { old: None, new: Some(*new), differences }));
    }
    compared
}

/// Returns how far two calls are apart: one of the same shape is nearer than any other, whatever its values are.
fn apart(differences: &[Difference]) -> (usize, usize) {
    (differences.iter().filter(|one| OF_SHAPE.contains(&one.rule)).count(), distance(differences))
}

fn nearest_call<'a>(recorded: &'a Template, now: &[&'a Template]) -> Compared<'a> {
    let candidates = now.iter().map(|new| (*new, recorded.without_varied(call(recorded, new))));
    if let Some((new, differences)) = candidates.min_by_key(|(_, differences)| apart(differences)) {
        return Compared { old: Some(recorded), new: Some(new), differences };
    }
    let mut differences = vec![];
    push(&mut differences, CALL_GONE, "request", "the call is not made any more".to_owned());
    Compared { old: Some(recorded), new: None, differences }
}

/// Compares a call with the recorded one that is nearest to it; `None` if its shape is the same. That another call has the
/// old shape does not help the peer that gets this one.
fn shape_of_call<'a>(new: &'a Template, recorded: &[&'a Template]) -> Option<Compared<'a>> {
    let candidates = recorded.iter().map(|old| (*old, old.without_varied(call(old, new))));
    let (old, mut differences) = candidates.min_by_key(|(_, differences)| apart(differences))?;
    differences.retain(is_of_each_call);
    (!differences.is_empty()).then_some(Compared { old: Some(old), new: Some(new), differences })
}

fn grouped(all: &[Template], direction: Direction) -> BTreeMap<Key, Vec<&Template>> {
    let mut groups: BTreeMap<Key, Vec<&Template>> = BTreeMap::new();
    for template in all.iter().filter(|template| template.direction == direction) {
        groups.entry(template.key()).or_default().push(template);
    }
    groups
}

/// Returns what differs in the answer of the target.
pub(super) fn answer(old: &Template, new: &Template) -> Vec<Difference> {
    let mut found = vec![];
    let (Some(before), Some(after)) = (old.status(), new.status()) else {
        unanswered(old, new, &mut found);
        return found;
    };
    if let Some(rule) = status_rule(before, after) {
        let rule = if rule == REQUEST_ADMITTED && reports_failure(new) { STATUS_CHANGED } else { rule };
        push(&mut found, rule, "response.status", in_words(before, after, new));
    }
    // The bodies of two outcomes have nothing in common.
    if is_success(before) == is_success(after) && before < 500 && after < 500 {
        messages("response", &old.response, &new.response, &old.known_in(new), &mut found);
        echoes(old, new, &mut found);
    }
    if !asks_for_the_same(old, new) {
        // Another offering has other terms, and answers of the same shape.
        found.retain(|one| !OF_TERMS.contains(&one.rule));
    }
    found
}

/// Returns whether two calls ask for the same offering. A peer chooses one of the catalogue, where the next release may
/// list another.
fn asks_for_the_same(old: &Template, new: &Template) -> bool {
    let slug = |template: &Template| template.request["body"]["slug"].as_str().map(ToOwned::to_owned);
    slug(old) == slug(new)
}

/// Returns whether two answers are about the same offering, or about two that were both taken or both refused. The offering
/// that a catalogue lists first may be closed, which says nothing of the others.
fn is_of_the_same(old: &Template, new: &Template) -> bool {
    asks_for_the_same(old, new)
        || old.status() == new.status()
        || new.status().is_none_or(|status| status >= 500)
}

/// Returns whether the body of a success reports a failure: a caller that decides by the status is misled.
fn reports_failure(new: &Template) -> bool {
    let body = &new.response["body"];
    !body["error"].is_null() || body["data"]["status"] == "failed"
}

fn in_words(before: u64, after: u64, new: &Template) -> String {
    let error = new.response["body"]["error"].as_str();
    let error = error.map(|error| format!(": {error:?}")).unwrap_or_default();
    format!("{before} became {after}{error}")
}

fn unanswered(old: &Template, new: &Template, found: &mut Vec<Difference>) {
    let by_tls = old.failure == Some(FailureKind::Certificate);
    match (old.status(), new.status()) {
        (Some(status), None) => {
            let failure = new.failure.map(|kind| format!(": {kind}")).unwrap_or_default();
            push(found, ANSWER_GONE, "response", format!("{status} became no answer{failure}"));
        }
        (None, Some(status)) if by_tls && is_success(status) => {
            push(found, REFUSAL_GONE, "response.status", format!("a refusal by TLS became {status}"));
        }
        _ => {}
    }
}

const fn is_success(status: u64) -> bool {
    status >= 200 && status < 300
}

/// Returns the rule of a changed status; `None` if the status is the same, or was a failure.
pub(super) fn status_rule(before: u64, after: u64) -> Option<&'static Rule> {
    let is_of_caller = matches!(before, 401 | 403 | 410 | 429);
    match (before, after) {
        _ if before == after || before >= 500 => None,
        (_, 500..) => Some(ANSWER_FAILED),
        (200..=299, 400 | 422) => Some(MEMBER_REQUIRED),
        (200..=299, 400..=499) => Some(REQUEST_REFUSED),
        (400..=499, 200..=299) if is_of_caller => Some(REFUSAL_GONE),
        (400..=499, 200..=299) => Some(REQUEST_ADMITTED),
        _ => Some(STATUS_CHANGED),
    }
}

/// Returns what differs in a call of the target.
fn call(old: &Template, new: &Template) -> Vec<Difference> {
    let mut found = vec![];
    let known = Known::new();
    messages("request", &old.request, &new.request, &known, &mut found);
    if let (Value::Object(before), after) = (&old.request["query"], &new.request["query"]) {
        let none = Value::Object(serde_json::Map::new());
        let after = if after.is_null() { &none } else { after };
        compare("request.query", &Value::Object(before.clone()), after, &known, &mut found);
    }
    echoes(old, new, &mut found);
    found
}

/// Compares headers and bodies.
fn messages(at: &str, old: &Value, new: &Value, known: &Known, found: &mut Vec<Difference>) {
    headers(at, &old["headers"], &new["headers"], found);
    let (before, after) = (&old["body"], &new["body"]);
    let below = format!("{at}.body");
    match (before, after) {
        (Value::Null, _) => {}
        (Value::Object(_) | Value::Array(_), Value::Null | Value::String(_)) => {
            push(found, BODY_CHANGED, &below, "JSON became another text, or nothing".to_owned());
        }
        _ => compare(&below, before, after, known, found),
    }
}

fn headers(at: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    let Some(old) = old.as_object() else { return };
    for (name, value) in old.iter().filter(|(name, value)| new[name.as_str()] != **value) {
        let (below, now) = (format!("{at}.headers.{name}"), &new[name.as_str()]);
        if let (Value::Number(value), Value::Number(now)) = (value, now) {
            waits(&below, value, now, found);
            continue;
        }
        let now = if now.is_null() { "nothing".to_owned() } else { now.to_string() };
        push(found, HEADER_CHANGED, &below, format!("{value} became {now}"));
    }
}

/// Finds members that had one value and have two now.
fn echoes(old: &Template, new: &Template, found: &mut Vec<Difference>) {
    let values = new.echoes();
    let mut now: BTreeMap<&String, &String> = BTreeMap::new();
    for (value, places) in &values {
        now.extend(places.iter().map(|place| (place, value)));
    }
    let side = if old.direction == Direction::ToTarget { "response" } else { "request" };
    for places in old.echoes().values().filter(|places| places.len() > 1) {
        let known: Vec<_> = places.iter().filter_map(|place| Some((place, *now.get(place)?))).collect();
        let Some((first, value)) = known.first() else { continue };
        let other = known.iter().find(|(place, other)| other != value && place.starts_with(side));
        if let Some((place, _)) = other {
            push(found, ECHO_CHANGED, place, format!("it was the value of {first}, and is another"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn asked(slug: &str, status: u64, data: &Value) -> Vec<Template> {
        let (method, path) = ("POST", "/api/v1/system/federation_api/subscriptions");
        let template = json!({
            "n": 1, "direction": "to_target", "peer": "alice", "route": "subscriptions", "step": 3,
            "request": {"method": method, "path": path, "body": {"slug": slug}},
            "response": {"status": status, "body": {"data": data}},
        });
        vec![serde_json::from_value(template).expect("a template")]
    }

    #[test]
    fn an_offering_that_the_next_release_lists_first_is_held_to_the_shape_of_the_answer() {
        let terms = json!({"protocol": "tcp", "ttl_seconds": 1000, "grant_id": "<id:1>"});
        let old = asked("relay", 201, &terms);
        let rules = |new: Vec<Template>| -> Option<Vec<&'static str>> {
            let compared = compare_scenario(&old, &new, true);
            assert_eq!(compared.len(), 1);
            let is_compared = !compared[0].is_unanswered();
            is_compared.then(|| compared[0].differences.iter().map(|one| one.rule.id).collect())
        };
        let other = json!({"protocol": "quic", "ttl_seconds": 1, "grant_id": "<id:1>"});
        assert_eq!(rules(asked("archive", 201, &other)), Some(vec![]));
        assert_eq!(rules(asked("relay", 201, &other)), Some(vec!["enum-changed", "unit-changed"]));
        let lost = json!({"protocol": "quic", "ttl_seconds": "1"});
        assert_eq!(rules(asked("archive", 201, &lost)), Some(vec!["member-gone", "type-changed"]));
        // A closed one was compared with nothing, and a crash is a crash.
        assert_eq!(rules(asked("archive", 409, &Value::Null)), None);
        assert_eq!(rules(asked("relay", 409, &Value::Null)), Some(vec!["request-refused"]));
        assert_eq!(rules(asked("archive", 500, &Value::Null)), Some(vec!["answer-failed"]));
    }
}
