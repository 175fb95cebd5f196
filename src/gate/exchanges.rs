//! Finds each recorded exchange again in another play, and compares the two.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::{Difference, compare, distance, push};
use super::rules::{
    ANSWER_FAILED, ANSWER_GONE, BODY_CHANGED, CALL_ADDED, CALL_GONE, ECHO_CHANGED, FORMAT_CHANGED,
    HEADER_CHANGED, MEMBER_GONE, MEMBER_NULL, MEMBER_REQUIRED, NUMBER_CHANGED, REFUSAL_GONE,
    REQUEST_ADMITTED, REQUEST_REFUSED, Rule, STATUS_CHANGED, TYPE_CHANGED, UNIT_CHANGED,
};
use super::template::{Key, Template, Variable};
use crate::transcript::{Direction, FailureKind};

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
/// its call was not made.
pub(super) fn compare_scenario<'a>(old: &'a [Template], new: &'a [Template]) -> Vec<Compared<'a>> {
    let mut compared = answers(old, new);
    compared.extend(calls(old, new));
    for one in &mut compared {
        if let Some(old) = one.old {
            one.differences.retain(|difference| !old.has_varied(difference));
        }
    }
    compared
}

/// Compares the answers of the target to the calls of the peers.
fn answers<'a>(old: &'a [Template], new: &'a [Template]) -> Vec<Compared<'a>> {
    let of = |all: &'a [Template]| grouped(all, Direction::ToTarget);
    let (old, new) = (of(old), of(new));
    let mut compared = vec![];
    for (key, group) in &old {
        let now = new.get(key).map_or(&[][..], Vec::as_slice);
        for (place, recorded) in group.iter().enumerate() {
            let candidates = if recorded.many { now } else { now.get(place..=place).unwrap_or_default() };
            let answers = candidates.iter().map(|new| (*new, answer(recorded, new)));
            // One with the same status has the nearest meaning, whatever its body lacks.
            let nearest = answers
                .min_by_key(|(new, differences)| (new.status() != recorded.status(), distance(differences)));
            compared.push(match nearest {
                Some((new, differences)) => Compared { old: Some(*recorded), new: Some(new), differences },
                None => Compared { old: Some(*recorded), new: None, differences: vec![] },
            });
        }
    }
    compared
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

fn nearest_call<'a>(recorded: &'a Template, now: &[&'a Template]) -> Compared<'a> {
    let candidates = now.iter().map(|new| (*new, call(recorded, new)));
    if let Some((new, differences)) = candidates.min_by_key(|(_, differences)| distance(differences)) {
        return Compared { old: Some(recorded), new: Some(new), differences };
    }
    let mut differences = vec![];
    push(&mut differences, CALL_GONE, "request", "the call is not made any more".to_owned());
    Compared { old: Some(recorded), new: None, differences }
}

/// The rules about the shape of a call, to which each call now is held: that one of them has the old shape does not help
/// the peer that gets another.
const OF_SHAPE: [&Rule; 4] = [MEMBER_GONE, MEMBER_NULL, TYPE_CHANGED, FORMAT_CHANGED];

/// Compares a call with the recorded one that is nearest to it; `None` if its shape is the same.
fn shape_of_call<'a>(new: &'a Template, recorded: &[&'a Template]) -> Option<Compared<'a>> {
    let candidates = recorded.iter().map(|old| (*old, call(old, new)));
    let (old, mut differences) = candidates.min_by_key(|(_, differences)| distance(differences))?;
    differences.retain(|difference| OF_SHAPE.contains(&difference.rule));
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
fn answer(old: &Template, new: &Template) -> Vec<Difference> {
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
        messages("response", &old.response, &new.response, &mut found);
        echoes(old, new, &mut found);
    }
    found
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
    messages("request", &old.request, &new.request, &mut found);
    if let (Value::Object(before), after) = (&old.request["query"], &new.request["query"]) {
        let none = Value::Object(serde_json::Map::new());
        let after = if after.is_null() { &none } else { after };
        compare("request.query", &Value::Object(before.clone()), after, &mut found);
    }
    echoes(old, new, &mut found);
    found
}

/// Compares headers and bodies.
fn messages(at: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    headers(at, &old["headers"], &new["headers"], found);
    let (before, after) = (&old["body"], &new["body"]);
    let below = format!("{at}.body");
    match (before, after) {
        (Value::Null, _) => {}
        (Value::Object(_) | Value::Array(_), Value::Null | Value::String(_)) => {
            push(found, BODY_CHANGED, &below, "JSON became another text, or nothing".to_owned());
        }
        _ => compare(&below, before, after, found),
    }
}

fn headers(at: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    let Some(old) = old.as_object() else { return };
    for (name, value) in old.iter().filter(|(name, value)| new[name.as_str()] != **value) {
        let now = new[name.as_str()].as_str().map_or("nothing".to_owned(), |now| format!("{now:?}"));
        push(found, HEADER_CHANGED, &format!("{at}.headers.{name}"), format!("{value} became {now}"));
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

/// The number of calls of one step above which they are calls side by side, whose order says nothing.
const IN_ORDER_MAX: usize = 4;

/// Marks what differs between two plays of one release. Leaves out the exchanges that only one of them has, and those
/// whose outcome differs: nothing of them can be compared. Returns the reason for each answer that is left out.
pub(super) fn merged(first: Vec<Template>, second: &[Template]) -> (Vec<Template>, Vec<String>) {
    let first = thinned(first);
    let mut left_out = vec![];
    let mut varies: BTreeMap<u64, Vec<Variable>> = BTreeMap::new();
    for one in compare_scenario(&first, second) {
        let Some(old) = one.old else { continue };
        let is_of_outcome = |one: &Difference| one.at == "response" || one.at == "response.status";
        let has_other_outcome = one.differences.iter().any(is_of_outcome);
        if one.new.is_none() || has_other_outcome {
            if old.direction == Direction::ToTarget {
                let what = if has_other_outcome { "another outcome" } else { "no counterpart" };
                left_out.push(format!("{} has {what} in the second play", old.in_words()));
            }
            varies.remove(&old.n);
            continue;
        }
        let mut of: Vec<Variable> = one.differences.iter().map(Variable::of).collect();
        // What is any number is a number of any size.
        let numbers = one.differences.iter().filter(|difference| difference.rule == NUMBER_CHANGED);
        let as_unit =
            numbers.map(|number| Variable { rule: UNIT_CHANGED.id.to_owned(), at: number.at.clone() });
        of.extend(as_unit.collect::<Vec<_>>());
        varies.entry(old.n).or_default().extend(of);
    }
    let of_both = first.into_iter().filter_map(|template| {
        let mut varies = varies.remove(&template.n)?;
        varies.sort();
        varies.dedup();
        Some(Template { varies, ..template })
    });
    (of_both.collect(), left_out)
}

/// Keeps one of the equal calls of the target, and one of the equal answers to calls side by side.
fn thinned(templates: Vec<Template>) -> Vec<Template> {
    let mut sizes: BTreeMap<Key, usize> = BTreeMap::new();
    for template in &templates {
        *sizes.entry(template.key()).or_default() += 1;
    }
    let mut kept: Vec<Template> = vec![];
    for mut template in templates {
        template.many = sizes[&template.key()] > IN_ORDER_MAX && template.direction == Direction::ToTarget;
        let may_repeat = template.many || template.direction == Direction::FromTarget;
        let is_known = kept.iter().any(|other| other.key() == template.key() && other.is_as(&template));
        if !(may_repeat && is_known) {
            kept.push(template);
        }
    }
    kept
}
