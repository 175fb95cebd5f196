//! References between the steps of a scenario: `${…}` in their texts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::Fault;
use crate::clock::{Clock, Ids, Seed};

/// The member of a peer that the target gives: its id there.
const ID_OF_PEER: &str = "id";

/// The values by label, and the ids by name.
#[derive(Debug)]
pub(super) struct Values {
    known: BTreeMap<String, Value>,
    /// The labels whose values the suite gives, and no answer.
    own: BTreeSet<String>,
    ids: BTreeMap<String, String>,
    source: Ids,
    clock: Clock,
}

impl Values {
    pub(super) fn new(clock: &Clock, seed: Seed) -> Self {
        Self {
            known: BTreeMap::new(),
            own: BTreeSet::new(),
            ids: BTreeMap::new(),
            source: Ids::new(clock.clone(), seed.derive("scenario ids")),
            clock: clock.clone(),
        }
    }

    /// Sets the value of a label, from an answer.
    pub(super) fn set(&mut self, label: &str, value: Value) {
        self.own.remove(label);
        self.known.insert(label.to_owned(), value);
    }

    /// Sets the value of a label that the suite gives: the release, or a peer. The id of a peer is the target's.
    pub(super) fn set_own(&mut self, label: &str, value: Value) {
        self.own.insert(label.to_owned());
        self.known.insert(label.to_owned(), value);
    }

    /// Returns whether a value refers to an answer. What is wrong with it may then be due to the side that answered.
    pub(super) fn refers_to_answer(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => references(text).any(|reference| self.is_of_answer(reference)),
            Value::Array(items) => items.iter().any(|item| self.refers_to_answer(item)),
            Value::Object(members) => members.values().any(|member| self.refers_to_answer(member)),
            _ => false,
        }
    }

    fn is_of_answer(&self, reference: &str) -> bool {
        let (label, member) = reference.split_once('.').unwrap_or((reference, ""));
        self.known.contains_key(label) && !self.is_own(label, member)
    }

    /// Returns whether the suite gives a member of a label.
    fn is_own(&self, label: &str, member: &str) -> bool {
        self.own.contains(label) && member.trim_end_matches('?') != ID_OF_PEER
    }

    pub(super) fn value(&self, label: &str) -> Option<&Value> {
        self.known.get(label)
    }

    /// Lets `${id:…}` be this id. Returns false if the text is no such reference, or is used already.
    pub(super) fn name_id(&mut self, text: &str, id: &str) -> bool {
        let name = whole_reference(text).and_then(|reference| reference.strip_prefix("id:"));
        let Some(name) = name.filter(|name| !self.ids.contains_key(*name)) else { return false };
        self.ids.insert(name.to_owned(), id.to_owned());
        true
    }

    /// Fills in every `${…}`. A text that is a single reference becomes the referenced value.
    pub(super) fn fill(&mut self, value: &Value) -> Result<Value, Fault> {
        Ok(match value {
            Value::String(text) => match whole_reference(text) {
                Some(reference) => self.resolve(reference)?,
                None => Value::String(self.fill_text(text)?),
            },
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let mut filled = serde_json::Map::new();
                for (name, member) in members {
                    filled.insert(self.fill_text(name)?, self.fill(member)?);
                }
                Value::Object(filled)
            }
            other => other.clone(),
        })
    }

    pub(super) fn fill_text(&mut self, text: &str) -> Result<String, Fault> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (reference, tail) = after
                .split_once('}')
                .ok_or_else(|| Fault::scenario(format!("`{text}`: a `${{` has no end")))?;
            filled.push_str(before);
            match self.resolve(reference)? {
                Value::String(text) => filled.push_str(&text),
                other => filled.push_str(&other.to_string()),
            }
            rest = tail;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Returns the first optional reference of a text (`${…?}`) that has no value, or an empty one.
    pub(super) fn absent(&mut self, text: &str) -> Option<String> {
        let mut optional = references(text).filter(|reference| reference.ends_with('?'));
        let is_empty = |value: &Value| value.is_null() || value.as_str() == Some("");
        optional
            .find(|reference| self.resolve(reference).is_ok_and(|value| is_empty(&value)))
            .map(str::to_owned)
    }

    /// Returns the name of an id with the number of the repetition in the place of `$turn`.
    fn in_this_turn(&self, name: &str) -> String {
        let turn = self.known.get("turn").map(Value::to_string).unwrap_or_default();
        name.replace("$turn", &turn)
    }

    fn resolve(&mut self, reference: &str) -> Result<Value, Fault> {
        // TOML has no null.
        if reference == "null" {
            return Ok(Value::Null);
        }
        if let Some(name) = reference.strip_prefix("id:") {
            let name = self.in_this_turn(name);
            let source = &self.source;
            let id = self.ids.entry(name).or_insert_with(|| source.uuid().to_string());
            return Ok(Value::from(id.as_str()));
        }
        if let Some(shift) = reference.strip_prefix("now") {
            let (shift, offset) = shift.split_once(" at ").unwrap_or((shift, UTC));
            let seconds = if shift.is_empty() { Ok(0) } else { shift.parse::<i64>() };
            let wrong = |why: &str| Fault::scenario(format!("`${{{reference}}}`: {why}"));
            let seconds = seconds.map_err(|_| wrong("write ${now}, ${now-60} or ${now-60 at -03:00}"))?;
            let time = self.clock.now().checked_add(SignedDuration::from_secs(seconds));
            let time = time.map_err(|_| wrong("there is no time so far away"))?;
            let text = in_offset(time, offset).ok_or_else(|| wrong("an offset is ±HH:00"))?;
            return Ok(Value::from(text));
        }
        // An optional member that is absent becomes an empty text.
        if reference.ends_with('?') {
            return Ok(self.resolve(reference.trim_end_matches('?')).unwrap_or_else(|_| Value::from("")));
        }
        let mut parts = reference.split('.');
        let label = parts.next().unwrap_or_default();
        let mut value = self
            .known
            .get(label)
            .ok_or_else(|| Fault::scenario(format!("`${{{reference}}}`: no step is called `{label}`")))?;
        for part in parts {
            let inner = match value {
                Value::Array(items) => part.parse::<usize>().ok().and_then(|place| items.get(place)),
                other => other.get(part),
            };
            value = inner.ok_or_else(|| {
                if self.is_own(label, part) {
                    Fault::scenario(format!("`${{{reference}}}`: `{label}` has no `{part}`"))
                } else {
                    Fault::target(format!("`${{{reference}}}`: the answer has no `{part}`"))
                }
            })?;
        }
        Ok(value.clone())
    }
}

/// Returns the references in a text, without their signs.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn whole_reference(text: &str) -> Option<&str> {
    let reference = text.strip_prefix("${")?.strip_suffix('}')?;
    (!reference.contains("${")).then_some(reference)
}

/// The offset of a time that states none.
pub(super) const UTC: &str = "Z";

/// Returns a time as RFC 3339 writes it at this offset: `Z`, or whole hours as `-03:00`.
pub(super) fn in_offset(time: Timestamp, offset: &str) -> Option<String> {
    if offset == UTC {
        return Some(time.to_string());
    }
    let hours = offset.strip_suffix(":00")?.parse::<i8>().ok()?;
    let offset = Offset::from_hours(hours).ok()?;
    Some(time.display_with_offset(offset).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;
    use serde_json::json;

    fn values() -> Values {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        Values::new(&clock, Seed(1))
    }

    #[test]
    fn an_optional_reference_without_a_value_is_absent() {
        let mut values = values();
        values.set("opened", json!({"data": {"id": "a", "empty": ""}}));
        let path = |name: &str| format!("migrations/${{opened.data.{name}?}}/commit");
        assert_eq!(values.absent(&path("id")), None);
        assert_eq!(values.absent(&path("none")).as_deref(), Some("opened.data.none?"));
        assert_eq!(values.absent(&path("empty")).as_deref(), Some("opened.data.empty?"));
        assert_eq!(values.absent("${opened.data.none}"), None, "it is not optional");
    }

    #[test]
    fn references_are_filled_in_and_keep_their_type() {
        let mut values = values();
        values.set("first", json!({"data": {"count": 3, "list": ["a", "b"]}}));
        let filled =
            values.fill(&json!({"a": "${first.data.count}", "b": "x ${first.data.list.1} ${now-60}"}));
        assert_eq!(filled, Ok(json!({"a": 3, "b": "x b 2026-05-31T23:59:00Z"})));
        assert_eq!(values.fill_text("${now-60 at -03:00}"), Ok("2026-05-31T20:59:00-03:00".to_owned()));
        assert_eq!(values.fill(&json!(["${null}"])), Ok(json!([null])));
    }

    #[test]
    fn an_id_is_the_same_by_the_same_name_and_for_the_same_seed() {
        let (mut one, mut two) = (values(), values());
        let id = one.fill_text("${id:root}").expect("an id");
        assert_eq!(one.fill_text("${id:root}"), Ok(id.clone()));
        assert_eq!(two.fill_text("${id:root}"), Ok(id.clone()));
        assert_ne!(one.fill_text("${id:leaf}"), Ok(id));
    }

    #[test]
    fn an_id_of_the_turn_is_another_in_each_repetition() {
        let mut values = values();
        let mut in_turn = |turn: u32| {
            values.set_own("turn", json!(turn));
            values.fill_text("${id:$turn}").expect("an id")
        };
        let first = in_turn(1);
        assert_ne!(in_turn(2), first);
        assert_eq!(in_turn(1), first);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let mut values = values();
        values.set("first", json!({}));
        let blame = |filled: Result<String, Fault>| filled.expect_err("no value").blame;
        for text in ["${second}", "${now~1}", "${first"] {
            assert_eq!(blame(values.fill_text(text)), Blame::Scenario, "{text}");
        }
        // The blame is due to the side whose answer lacks the member.
        assert_eq!(blame(values.fill_text("${first.data}")), Blame::Target);
        // What the suite gives lacks nothing, apart from the id that a target gives to a peer.
        values.set_own("alice", json!({"base_url": "https://a"}));
        values.set_own("release", json!({"same": "1.4.0"}));
        for text in ["${alice.url}", "${release.smae}", "${release.same.major}"] {
            assert_eq!(blame(values.fill_text(text)), Blame::Scenario, "{text}");
        }
        assert_eq!(blame(values.fill_text("${alice.id}")), Blame::Target);
        let refers = |text: &str| values.refers_to_answer(&json!({"a": [text]}));
        assert!(refers("x ${first.data}") && refers("${alice.id}") && refers("${alice.id?}"));
        assert!(!refers("${now}") && !refers("${alice.base_url}") && !refers("${id:a}") && !refers("no"));
        for text in ["${now9223372036854775807}", "${now-9223372036854775808}", "${now+300000000000}"] {
            assert!(values.fill_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_may_be_absent_is_then_empty_however_often_that_is_stated() {
        let text = format!("<${{absent{}}}>", "?".repeat(500_000));
        assert_eq!(values().fill_text(&text), Ok("<>".to_owned()));
    }
}
