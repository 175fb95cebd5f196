//! Compares two messages by structure, and names the rule of each difference.

use serde_json::{Map, Number, Value};

use super::form::{Form, is_free, placeholder, without_number};
use super::rules::{
    ENUM_CHANGED, FORMAT_CHANGED, LIST_ITEM_GONE, MEMBER_ADDED, MEMBER_GONE, MEMBER_NULL, NUMBER_CHANGED,
    Rule, TEXT_CHANGED, TYPE_CHANGED, UNIT_CHANGED, VALUE_CHANGED, Weight,
};

/// One place in which a message differs from the recorded one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The rule.
    pub rule: &'static Rule,
    /// The path of the member: `response.body.data.status`. `[]` stands for any item of a list.
    pub at: String,
    /// What differs, in one sentence.
    pub text: String,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Members that the observed wire leaves to each platform (`wire.md`, section 2): their absence says nothing.
const LEFT_TO_THE_PLATFORM: &[&str] = &["response.body.success", "response.body.code", "response.body.error"];

/// The factors between the units of time, of size and of money.
const FACTORS: &[f64] =
    &[60.0, 100.0, 1000.0, 1024.0, 1440.0, 3600.0, 86400.0, 604_800.0, 1_000_000.0, 1_048_576.0, 1e9];

/// The factors that chance makes too.
const SMALL_FACTORS: &[f64] = &[7.0, 24.0];

/// The ends of names of numbers that have a unit.
const UNITS: &[&str] = &["seconds", "_ms", "minutes", "hours", "days", "bytes", "ttl", "timeout", "interval"];

/// Names of numbers that have no unit.
const WITHOUT_UNIT: &[&str] = &["count", "order", "priority", "port", "rank", "status", "items"];

/// Adds every difference between a recorded value and the value at the same place now.
pub(super) fn compare(at: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    match (old, new) {
        (Value::Null, _) => {}
        (_, Value::Null) => push(found, MEMBER_NULL, at, format!("{} became null", short(old))),
        (Value::Object(old), Value::Object(new)) => members(at, old, new, found),
        (Value::Array(old), Value::Array(new)) => items(at, old, new, found),
        (Value::String(old), Value::String(new)) => texts(at, old, new, found),
        (Value::Number(old), Value::Number(new)) => numbers(at, old, new, found),
        (Value::Bool(before), Value::Bool(after)) => {
            if before != after {
                push(found, VALUE_CHANGED, at, format!("{before} became {after}"));
            }
        }
        _ => push(found, TYPE_CHANGED, at, format!("{} became {}", typed(old), typed(new))),
    }
}

/// Returns how much a list of differences breaks, to find what is nearest.
pub(super) fn distance(found: &[Difference]) -> usize {
    found.iter().map(|one| if one.rule.weight == Weight::Breaking { 1000 } else { 1 }).sum()
}

pub(super) fn push(found: &mut Vec<Difference>, rule: &'static Rule, at: &str, text: String) {
    found.push(Difference { rule, at: at.to_owned(), text });
}

fn members(at: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Difference>) {
    for (name, member) in old {
        let below = format!("{at}.{}", without_number(name));
        match lookup(name, new) {
            Some(now) => compare(&below, member, now, found),
            None if member.is_null() || LEFT_TO_THE_PLATFORM.contains(&below.as_str()) => {}
            None => push(found, MEMBER_GONE, &below, format!("{} is gone", short(member))),
        }
    }
    for (name, member) in new {
        if lookup(name, old).is_none() {
            let below = format!("{at}.{}", without_number(name));
            push(found, MEMBER_ADDED, &below, format!("{} is new", short(member)));
        }
    }
}

/// Finds a member by its name; one that is named by a placeholder, by the class of it.
fn lookup<'a>(name: &str, members: &'a Map<String, Value>) -> Option<&'a Value> {
    let Some(class) = placeholder(name) else { return members.get(name) };
    members.iter().find(|(other, _)| placeholder(other) == Some(class)).map(|(_, member)| member)
}

/// The member whose items tell what happened, such as the events of an excerpt: their number is that of the calls before.
const HISTORY: &str = ".events";

/// Compares each recorded item with the nearest one now. Order and further items say nothing.
fn items(at: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
    let below = format!("{at}[]");
    if new.is_empty() && !old.is_empty() {
        return push(found, LIST_ITEM_GONE, &below, "the list became empty".to_owned());
    }
    let before = found.len();
    for item in old {
        let candidates = new.iter().map(|candidate| {
            let mut differences = vec![];
            compare(&below, item, candidate, &mut differences);
            differences
        });
        let Some(nearest) = candidates.min_by_key(|differences| distance(differences)) else { continue };
        // Words, and the numbers of versions, are items of their own.
        let is_word = !(item.is_object() || item.is_array())
            && nearest.iter().any(|one| [ENUM_CHANGED, VALUE_CHANGED].contains(&one.rule));
        if is_word {
            push(found, LIST_ITEM_GONE, &below, format!("{} is gone from the list", short(item)));
        } else {
            found.extend(nearest);
        }
    }
    // Several items may be nearest to one: the numbers tell that one is gone.
    if new.len() < old.len()
        && !at.ends_with(HISTORY)
        && !found[before..].iter().any(|one| one.rule == LIST_ITEM_GONE && one.at == below)
    {
        push(found, LIST_ITEM_GONE, &below, format!("{} items became {}", old.len(), new.len()));
    }
}

fn texts(at: &str, old: &str, new: &str, found: &mut Vec<Difference>) {
    let (before, after) = (Form::of(old), Form::of(new));
    let sentence = || format!("{old:?} became {new:?}");
    if before == Form::Blank {
        return;
    }
    if after == Form::Blank {
        return push(found, MEMBER_NULL, at, format!("{old:?} became blank"));
    }
    let is_for_persons = before == Form::Text || (before == Form::Word && is_free(at));
    match before {
        _ if old == new => {}
        _ if is_for_persons => push(found, TEXT_CHANGED, at, sentence()),
        Form::Word => push(found, ENUM_CHANGED, at, sentence()),
        // An id or a time is none that somebody chose.
        _ if before != after && is_free(at) && !matches!(before, Form::Placeholder(_)) => {
            push(found, TEXT_CHANGED, at, sentence());
        }
        _ if before != after => {
            let text = format!("{old:?}, {}, became {new:?}, {}", before.name(), after.name());
            push(found, FORMAT_CHANGED, at, text);
        }
        _ => {}
    }
}

fn numbers(at: &str, old: &Number, new: &Number, found: &mut Vec<Difference>) {
    let (Some(before), Some(after)) = (old.as_f64(), new.as_f64()) else { return };
    let sentence = format!("{old} became {new}");
    let member = at.rsplit('.').next().unwrap_or(at).trim_end_matches("[]");
    let is_version = ["version", "versions", "version_agreed"].iter().any(|name| member.ends_with(name));
    let is_whole = old.is_i64() || old.is_u64();
    if is_whole && after.fract() != 0.0 {
        push(found, TYPE_CHANGED, at, format!("the whole number {sentence}, with a fraction"));
    } else if (before - after).abs() < f64::EPSILON {
    } else if is_version {
        push(found, VALUE_CHANGED, at, sentence);
    } else if !WITHOUT_UNIT.iter().any(|name| member.ends_with(name)) && is_factor(member, before, after) {
        push(found, UNIT_CHANGED, at, sentence);
    } else {
        push(found, NUMBER_CHANGED, at, sentence);
    }
}

/// Returns whether one number is the other in another unit. Where the name says that there is a unit, small numbers and
/// small factors count too.
fn is_factor(member: &str, one: f64, other: f64) -> bool {
    // A moment in seconds moves between two runs, by less than this.
    const TOLERANCE: f64 = 0.001;
    let (small, large) = if one.abs() < other.abs() { (one, other) } else { (other, one) };
    let has_unit = UNITS.iter().any(|unit| member.ends_with(unit));
    let factors = FACTORS.iter().chain(SMALL_FACTORS.iter().filter(|_| has_unit));
    let least = if has_unit { 0.0 } else { 1.0 };
    small.abs() > least && factors.into_iter().any(|factor| (large / small / factor - 1.0).abs() < TOLERANCE)
}

fn typed(value: &Value) -> String {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "the boolean",
        Value::Number(_) => "the number",
        Value::String(_) => "the text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    match value {
        Value::Array(_) | Value::Object(_) | Value::Null => name.to_owned(),
        other => format!("{name} {}", short(other)),
    }
}

/// Returns the beginning of a value as JSON.
pub(super) fn short(value: &Value) -> String {
    const CHARACTERS_MAX: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(old: &Value, new: &Value) -> Vec<(&'static str, String)> {
        let mut differences = vec![];
        compare("response.body", old, new, &mut differences);
        differences.into_iter().map(|one| (one.rule.id, one.at)).collect()
    }

    #[test]
    fn each_change_of_a_member_has_its_rule() {
        for (old, new, rule) in [
            (json!({"a": 1}), json!({}), "member-gone"),
            (json!({"a": 1}), json!({"a": null}), "member-null"),
            (json!({"a": "x"}), json!({"a": " "}), "member-null"),
            (json!({"a": 1}), json!({"a": "1"}), "type-changed"),
            (json!({"a": 2}), json!({"a": 2.5}), "type-changed"),
            (json!({"a": {"b": 1}}), json!({"a": [1]}), "type-changed"),
            (json!({"a": "active"}), json!({"a": "ACTIVE"}), "enum-changed"),
            (json!({"a": "ENROLLED"}), json!({"a": "enrolled"}), "enum-changed"),
            (json!({"contract_versions": [1, 2]}), json!({"contract_versions": [2]}), "list-item-gone"),
            (json!({"ttl_hours": 24}), json!({"ttl_hours": 1}), "unit-changed"),
            (json!({"ttl_seconds": 1}), json!({"ttl_seconds": 1000}), "unit-changed"),
            (json!({"a": true}), json!({"a": false}), "value-changed"),
            (json!({"schema_version": 1}), json!({"schema_version": 2}), "value-changed"),
            (json!({"ttl": 604_800}), json!({"ttl": 604_800_000}), "unit-changed"),
            (json!({"ttl": 1440}), json!({"ttl": 24}), "unit-changed"),
            (json!({"count": 5}), json!({"count": 6}), "number-changed"),
            (json!({"a": "<id:1>"}), json!({"a": "peer-1"}), "format-changed"),
            (json!({"a": "<time:1>"}), json!({"a": "2026-06-01"}), "format-changed"),
            (json!({"a": "1.4.0"}), json!({"a": "1.4"}), "format-changed"),
            (json!({"a": ["read", "migrate"]}), json!({"a": ["read"]}), "list-item-gone"),
            (json!({"a": [{"k": 1}]}), json!({"a": []}), "list-item-gone"),
            (json!({"a": [{"k": 1}, {"k": 1}]}), json!({"a": [{"k": 1}]}), "list-item-gone"),
            (json!({"account_id": "<id:1>"}), json!({"account_id": "peer-1"}), "format-changed"),
            (json!({"error": "Not active"}), json!({"error": "Inactive peer"}), "text-changed"),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), "member-added"),
        ] {
            let rules: Vec<_> = found(&old, &new).into_iter().map(|(rule, _)| rule).collect();
            assert!(rules.contains(&rule), "{old} {new}: {rules:?}");
        }
    }

    #[test]
    fn what_differs_by_nature_is_no_difference() {
        for (old, new) in [
            (json!({"a": "<id:1>"}), json!({"a": "<id:7>"})),
            (json!({"a": null}), json!({"a": 1})),
            (json!({"a": null}), json!({})),
            (json!({"a": "1.4.0"}), json!({"a": "1.5.0-rc.1"})),
            (json!({"success": true, "code": "X", "error": null}), json!({})),
            (json!({"a": [1, 2]}), json!({"a": [3, 2, 1]})),
            (json!({"<id:1>": 1}), json!({"<id:4>": 1})),
            (json!({"a": []}), json!({"a": ["x"]})),
            (json!({"load": 0.0}), json!({"load": 0.37})),
            (json!({"software": "platform-1.4.2"}), json!({"software": "platform-1.5.0"})),
        ] {
            // These two rules are off until they are asked for.
            let is_on = |rule: &str| !["number-changed", "text-changed"].contains(&rule);
            let of_default: Vec<_> = found(&old, &new).into_iter().filter(|(rule, _)| is_on(rule)).collect();
            assert_eq!(of_default, [], "{old} {new}");
        }
        assert!(found(&json!({"success": true}), &json!({"success": false})).len() == 1);
    }
}
