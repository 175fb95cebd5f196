//! Compares two messages by structure, and names the rule of each difference.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::form::{Form, placeholder, without_number};
use super::items::items;
use super::members::Texts;
use super::numbers::numbers;
use super::rules::{
    ENUM_CHANGED, FORMAT_CHANGED, MEMBER_ADDED, MEMBER_GONE, MEMBER_NULL, Rule, TEXT_CHANGED, TYPE_CHANGED,
    VALUE_CHANGED, Weight,
};

/// One place in which a message differs from the recorded one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The rule.
    pub rule: &'static Rule,
    /// The path of the member: `response.body.data.status`. `[]` stands for any item of a list.
    pub at: String,
    /// Difference, in one sentence.
    pub text: String,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Members that the observed wire leaves to each platform (`wire.md`, section 2): their absence says nothing.
const LEFT_TO_THE_PLATFORM: &[&str] = &["response.body.success", "response.body.code", "response.body.error"];

/// The placeholders that stand for the same in both plays, since the request has them.
pub(super) type Known = BTreeSet<String>;

/// The rules about the shape of a message, to which each one is held that a peer gets: that another one has the old shape
/// does not help.
pub(super) const OF_SHAPE: [&Rule; 4] = [MEMBER_GONE, MEMBER_NULL, TYPE_CHANGED, FORMAT_CHANGED];

/// Adds every difference between a recorded value and the value at the same place now.
pub(super) fn compare(at: &str, old: &Value, new: &Value, known: &Known, found: &mut Vec<Difference>) {
    match (old, new) {
        (Value::Null, _) => {}
        (_, Value::Null) => push(found, MEMBER_NULL, at, format!("{} became null", short(old))),
        (Value::Object(old), Value::Object(new)) => members(at, old, new, known, found),
        (Value::Array(old), Value::Array(new)) => items(at, old, new, known, found),
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

fn members(
    at: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    known: &Known,
    found: &mut Vec<Difference>,
) {
    for (name, member) in old {
        let below = format!("{at}.{}", without_number(name));
        match lookup(name, new) {
            Some(now) => compare(&below, member, now, known, found),
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

fn texts(at: &str, old: &str, new: &str, found: &mut Vec<Difference>) {
    let (before, after) = (Form::of(old), Form::of(new));
    let sentence = || format!("{old:?} became {new:?}");
    if before == Form::Blank {
        return;
    }
    if after == Form::Blank {
        return push(found, MEMBER_NULL, at, format!("{old:?} became blank"));
    }
    if old == new {
        return;
    }
    let is_captured = matches!(before, Form::Placeholder(_) | Form::Digest(_));
    let texts = Texts::at(at);
    // An id of the platform's own form is no word of a fixed set, whatever its characters are.
    let of_word = if texts == Texts::Identity { TEXT_CHANGED } else { ENUM_CHANGED };
    let rule = match texts {
        Texts::Fixed if !is_captured => Some(ENUM_CHANGED),
        Texts::Version if !is_captured => Some(VALUE_CHANGED),
        // An id or a time is none that somebody chose.
        Texts::Free if !is_captured => Some(TEXT_CHANGED),
        _ if !before.differs(&after, old, new) => match before {
            Form::Word if after == Form::Word => Some(of_word),
            Form::Text | Form::Base64 => Some(TEXT_CHANGED),
            _ => None,
        },
        _ => match before {
            Form::Text => Some(TEXT_CHANGED),
            Form::Word => Some(of_word),
            _ => Some(FORMAT_CHANGED),
        },
    };
    match rule {
        Some(rule) if rule == FORMAT_CHANGED => {
            let text = format!("{old:?}, {}, became {new:?}, {}", before.name(), after.name());
            push(found, FORMAT_CHANGED, at, text);
        }
        Some(rule) => push(found, rule, at, sentence()),
        None => {}
    }
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
        compare("response.body", old, new, &Known::new(), &mut differences);
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
            // What a placeholder stands for has a form.
            (json!({"a": "<time:1>"}), json!({"a": "1780272000"}), "format-changed"),
            (json!({"a": "<time:1>"}), json!({"a": "<time_other:1>"}), "format-changed"),
            (json!({"a": "<id:1>"}), json!({"a": "42"}), "format-changed"),
            (json!({"a": "<id:1>"}), json!({"a": "<hex:1>"}), "format-changed"),
            (json!({"serial": "<hex:1>"}), json!({"serial": "<digits:1>"}), "format-changed"),
            (json!({"a": "<pem:1>"}), json!({"a": "<pem_public_key:1>"}), "format-changed"),
            (json!({"sha256": "<hex_64:1>"}), json!({"sha256": "<hex_128:1>"}), "format-changed"),
            (json!({"a": "urn:uuid:<id:1>"}), json!({"a": "<id:1>"}), "format-changed"),
            // The member shows that the set is fixed, whatever the characters.
            (
                json!({"media_type": "application/json"}),
                json!({"media_type": "application/cbor"}),
                "enum-changed",
            ),
            (json!({"status": "2 of 3"}), json!({"status": "3 of 3"}), "enum-changed"),
            (json!({"action": "skip"}), json!({"action": "skip/2"}), "enum-changed"),
            (json!({"protocol": "http/1.1"}), json!({"protocol": "http/2"}), "enum-changed"),
            (json!({"code": "E42"}), json!({"code": "E43"}), "enum-changed"),
            (json!({"kind": "3d-model"}), json!({"kind": "2d-model"}), "enum-changed"),
            (json!({"scopes": ["read", "r/w"]}), json!({"scopes": ["read", "rw"]}), "list-item-gone"),
            (json!({"contract_version": "1"}), json!({"contract_version": "2"}), "value-changed"),
            (json!({"schema_version": "2026-05"}), json!({"schema_version": "2026-06"}), "value-changed"),
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
            (json!({"a": "<time:1>"}), json!({"a": "<time:4>"})),
            (json!({"platform_version": "1.4"}), json!({"platform_version": "1.5"})),
            (json!({"serial": "3a57c4c1d2e3f4a5b6c7d8e9f0a1b2"}), json!({"serial": "<hex:1>"})),
            (json!({"serial": "123456789012345678901234567890"}), json!({"serial": "<digits:1>"})),
            (json!({"serial": "3A:57:C4:C1"}), json!({"serial": "AB:CD:EF:AB"})),
            (json!({"a": "3a57c4c1"}), json!({"a": "18273645"})),
            (json!({"a": "urn:uuid:<id:1>"}), json!({"a": "urn:uuid:<id:2>"})),
            (json!({"count": 2}), json!({"count": 120})),
            // Ids of the platform's own form, at random or one after the other.
            (json!({"migration_id": "mig-70009"}), json!({"migration_id": "mig-70011"})),
            (json!({"request_id": "xr-e5nhb9tc8ptmau"}), json!({"request_id": "xr-kexudxa2b7ew5j"})),
            (
                json!({"caller_inbound_subject": "fed:pr-6djb"}),
                json!({"caller_inbound_subject": "fed:pr-xnya"}),
            ),
            (json!({"correlation_id": "c-n26m6t"}), json!({"correlation_id": "c-26a3a61"})),
            (json!({"peer_id": "70001"}), json!({"peer_id": "70003"})),
        ] {
            // These two rules are off until they are asked for.
            let is_on = |rule: &str| !["number-changed", "text-changed"].contains(&rule);
            let of_default: Vec<_> = found(&old, &new).into_iter().filter(|(rule, _)| is_on(rule)).collect();
            assert_eq!(of_default, [], "{old} {new}");
        }
        assert!(found(&json!({"success": true}), &json!({"success": false})).len() == 1);
    }
}
