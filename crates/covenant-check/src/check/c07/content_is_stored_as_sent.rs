//! `content-is-stored-as-sent`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization as _;

use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::migration_model::{OWN_MEMBERS, is_id};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls};
use covenant_model::transcript::Trace;

/// A migrated record that counts as applied has each value as it was sent, where the target keeps the same value of the same
/// member in other records. Where it does not, a rule of its own may ask for another form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ContentIsStoredAsSent {
    /// The migration of one record.
    pub plan: Label,
    /// The `resource.get` of that record.
    pub read: Label,
    /// The `resource.put` of another record. The values that both records have are compared, as far as a platform may lose them:
    /// texts with white space at an end or a mark that follows its letter, integers beyond 2^53, and lists with one of these.
    pub put: Label,
    /// The `resource.get` of the record that was put. It shows what the operator's own record keeps.
    pub put_read: Label,
    /// The batch with a third record, which has to keep the values as well. Without a batch only numbers are compared, whose
    /// digits no rule changes.
    pub batch: Option<Label>,
    /// The `resource.get` of the record of the batch.
    pub batch_read: Option<Label>,
}

impl Check for ContentIsStoredAsSent {
    const ID: &'static str = "content-is-stored-as-sent";
    const EXPECTED: &'static [&'static str] = &["each value as it was sent", "a refusal of the plan"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let call = calls(trace).labelled(&self.plan).next().or_unproven("the plan was not sent")?;
        let claimed = call.exchange.data().filter(|_| call.exchange.succeeded());
        let claimed = claimed.filter(|data| data["status"] == "completed" && data["applied_count"] == 1);
        let data = claimed.or_unproven_at("the record does not count as applied", &[call.n()])?;
        if data["conflict_log"].as_array().is_some_and(|log| !log.is_empty()) {
            return Err(Stop::unproven("the answer logs a conflict", [call.n()]));
        }
        if data.get("warnings").is_some_and(|warnings| !warnings.is_null() && *warnings != json!([])) {
            return Err(Stop::unproven("the answer warns of something", [call.n()]));
        }
        let (read, stored) = read_back(trace, &self.read).or_unproven("the record was not read back")?;
        let mut evidence = vec![call.n(), read];
        let own = self.own_record(trace);
        let (own_n, own) = own.or_unproven_at("no other record was put and read back", &evidence)?;
        let step = call.exchange.sent().map(|plan| &plan["steps"][0]);
        let slug = step.and_then(|step| step["resource_kind"].as_str()).map(|kind| trace.slug_of(kind));
        let sent = step.and_then(|step| step["payload"].as_object());
        let sent = sent.or_unproven_at("the plan carries no record", &evidence)?;
        let mut values = values_of(sent);
        values.retain(|(path, value)| is_compared(path, value, slug) && own.was_sent(path, value));
        if values.is_empty() {
            return Err(Stop::unproven("the two records have no value in common", evidence));
        }
        values.retain(|(path, value)| state_of(stored, path, value) != State::Kept);
        let Some((first, _)) = values.first() else {
            return Ok(Pass::new("each value was read back as it was sent", evidence));
        };
        let first = first.join(".");
        evidence.push(own_n);
        let batch = self.synced_record(trace);
        if self.batch.is_some() && batch.is_none() {
            let actual = format!("{first:?} was read back in another form, and no batch to compare it with");
            return Err(Stop::unproven(actual, evidence));
        }
        evidence.extend(batch.iter().map(|(n, _)| *n));
        let answer = call.exchange.response.as_ref().and_then(|answer| answer.body.json());
        let answer = answer.map(reported).unwrap_or_default();
        let others = || [&own].into_iter().chain(batch.iter().map(|(_, record)| record));
        let is_changed = |path: &[&str], value: &Value| {
            // A member that is missing may be no part of what a peer can send.
            let is_comparable = batch.is_some() || found_at(stored, path).is_some_and(Value::is_number);
            is_comparable && state_of(stored, path, value) == State::Changed
        };
        let changed = values.iter().find(|(path, value)| {
            is_changed(path, value)
                && others().all(|other| other.keeps(path, value))
                && !answer.contains(path[0])
                && !is_elsewhere(sent, stored, path)
        });
        let Some((path, value)) = changed else {
            return Err(Stop::unproven(format!("{first:?} was read back in another form"), evidence));
        };
        let kept = found_at(stored, path).unwrap_or(&Value::Null);
        let actual = format!("{} of {value} was read back as {kept}", path.join("."));
        Err(Stop::broken(actual, evidence))
    }
}

impl ContentIsStoredAsSent {
    /// Returns the record that the operator put, with the entry in which it was read back.
    fn own_record<'a>(&self, trace: &'a Trace) -> Option<(u64, OtherRecord<'a>)> {
        let (_, put) = trace.operation(&self.put).filter(|(_, put)| put.failure.is_none())?;
        let (n, stored) = read_back(trace, &self.put_read)?;
        Some((n, OtherRecord { sent: &put.parameters["record"], stored }))
    }

    /// Returns the record that the peer synced, with the entry in which it was read back.
    fn synced_record<'a>(&self, trace: &'a Trace) -> Option<(u64, OtherRecord<'a>)> {
        let batch = calls(trace).labelled(self.batch.as_ref()?).accepted().next()?;
        let (n, stored) = read_back(trace, self.batch_read.as_ref()?)?;
        Some((n, OtherRecord { sent: &batch.exchange.sent()?["records"][0]["payload"], stored }))
    }
}

/// A record that came in another way than by a migration.
struct OtherRecord<'a> {
    sent: &'a Value,
    stored: &'a Value,
}

impl OtherRecord<'_> {
    /// Returns whether this value was sent at this place.
    fn was_sent(&self, path: &[&str], value: &Value) -> bool {
        found_at(self.sent, path) == Some(value)
    }

    /// Returns whether this value was sent at this place, and is kept there.
    fn keeps(&self, path: &[&str], value: &Value) -> bool {
        self.was_sent(path, value) && state_of(self.stored, path, value) == State::Kept
    }
}

fn found_at<'a>(record: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(record, |inner, name| inner.get(name))
}

/// The state of a value in a stored record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Kept,
    /// Another value of the same type is in its place, or none.
    Changed,
    /// It is stored in another form, which may have the same meaning.
    Open,
}

/// Returns the state of the value at a place of a record.
fn state_of(stored: &Value, path: &[&str], sent: &Value) -> State {
    let mut found = stored;
    for name in path {
        found = match found {
            Value::Object(members) => members.get(*name).unwrap_or(&Value::Null),
            Value::Null => return State::Changed,
            _ => return State::Open,
        };
    }
    match (sent, found) {
        (sent, found) if sent == found => State::Kept,
        (Value::Number(sent), Value::Number(found)) => {
            let integer = |number: &serde_json::Number| {
                number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
            };
            match (integer(sent), integer(found)) {
                (Some(sent), Some(found)) if sent != found => State::Changed,
                // The digits of another notation are not known here (`binding.md`, reading 41).
                _ => State::Open,
            }
        }
        // A rule for what is migrated may normalise a text: no part of the content is lost.
        (sent, found) if normalised(sent) == normalised(found) => State::Open,
        (Value::String(_), Value::String(_)) | (Value::Array(_), Value::Array(_)) | (_, Value::Null) => {
            State::Changed
        }
        _ => State::Open,
    }
}

/// Returns a value whose texts are composed, and without the white space at their ends.
fn normalised(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(text.trim().nfc().collect::<String>()),
        Value::Array(items) => Value::Array(items.iter().map(normalised).collect()),
        _ => value.clone(),
    }
}

/// Returns the texts, numbers and lists of a record by their places, at any depth of objects.
fn values_of(record: &Map<String, Value>) -> Vec<(Vec<&str>, &Value)> {
    let mut found = Vec::new();
    for (name, member) in record {
        if let Value::Object(members) = member {
            let inner = values_of(members).into_iter();
            found.extend(inner.map(|(path, value)| ([vec![name.as_str()], path].concat(), value)));
        } else if matches!(member, Value::String(_) | Value::Number(_) | Value::Array(_)) {
            found.push((vec![name.as_str()], member));
        }
    }
    found
}

/// Returns whether a value is compared: not what a destination may rewrite, and no id, which 7.4 is about.
fn is_compared(path: &[&str], value: &Value, slug: Option<&str>) -> bool {
    let is_own = OWN_MEMBERS.contains(&path[0]) || slug == Some(path[0]);
    let name = path.last().copied().unwrap_or_default();
    !is_own && name != "id" && !value.as_str().is_some_and(|text| is_id(name, text)) && is_particular(value)
}

/// Returns whether a value is one of those that the scenario tests. Any other one may be a state, which a platform sets as it
/// likes.
fn is_particular(value: &Value) -> bool {
    const EXACT_IN_A_DOUBLE: u64 = 1 << 53;
    const MARKS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';
    match value {
        Value::String(text) => {
            let is_blank = text.trim().is_empty();
            !is_blank && (text.trim() != text || text.contains(|c| MARKS.contains(&c)))
        }
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            size.is_some_and(|size| size > EXACT_IN_A_DOUBLE)
        }
        Value::Array(items) => items.iter().any(is_particular),
        _ => false,
    }
}

/// Returns whether a record has the value, or a text beside it, under another name: the member may have moved as a whole.
fn is_elsewhere(sent: &Map<String, Value>, stored: &Value, path: &[&str]) -> bool {
    let of_member = values_of(sent).into_iter().filter(|(other, _)| other[0] == path[0]);
    let mut texts = of_member.filter_map(|(path, value)| Some((path, value.as_str()?)));
    texts.any(|(path, text)| {
        let is_in_place = state_of(stored, &path, &Value::from(text)) == State::Kept;
        !is_in_place && !text.trim().is_empty() && holds(stored, text)
    })
}

/// Returns whether a value is this text, or has it at any depth.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}

/// Returns the text of an answer without the names that each one has: the `metadata` of a migration or of an envelope, and the
/// steps of the plan, which some repeat.
fn reported(answer: &Value) -> String {
    let without_names = |value: &Value| {
        let mut value = value.clone();
        if let Some(members) = value.as_object_mut() {
            members.remove("steps");
            let metadata = members.remove("metadata");
            members.insert("content of metadata".to_owned(), metadata.unwrap_or_default());
        }
        value
    };
    let mut answer = without_names(answer);
    if answer["data"].is_object() {
        answer["data"] = without_names(&answer["data"]);
    }
    answer.to_string().replace("content of metadata", "")
}

/// Returns the entry and the record that a `resource.get` read.
fn read_back<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a Value)> {
    let (n, get) = trace.operation(label)?;
    let record = get.result.as_ref()?.get("record")?;
    record.is_object().then_some((n, record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;

    const BIG: i64 = 1_234_567_890_123_456_789;

    /// The records as they are read back: the migrated one, the operator's and the synced one.
    struct Stored {
        migrated: Value,
        own: Value,
        synced: Option<Value>,
    }

    fn verdict(content: &Value, stored: &Stored, data: &Value) -> Verdict {
        let with_id = |id: &str| {
            let mut record = content.clone();
            record["id"] = json!(id);
            record["name"] = json!(id);
            record
        };
        let get = |id: &str| json!({"kind": "skill", "id": id});
        let put = json!({"kind": "skill", "id": "o", "record": with_id("o")});
        let plan =
            json!({"steps": [{"resource_kind": "skill", "resource_id": "m", "payload": with_id("m")}]});
        let plan = Exchange::to_target("alice").on("POST", "migrations").sending(plan);
        let mut builder = TraceBuilder::new()
            .operation_with("put", "resource.put", put, json!({}))
            .operation_with("put-read", "resource.get", get("o"), json!({"record": stored.own}))
            .call("plan", plan.answered_with(201, json!({ "data": data })))
            .operation_with("read", "resource.get", get("m"), json!({"record": stored.migrated}));
        let mut with = json!({"plan": "plan", "read": "read", "put": "put", "put_read": "put-read"});
        if let Some(synced) = &stored.synced {
            let batch = json!({"records": [{"id": "s", "payload": with_id("s")}]});
            let batch = Exchange::to_target("alice").on("POST", "sync").sending(batch);
            let status = if synced.is_null() { 422 } else { 200 };
            builder = builder.call("batch", batch.answered_with(status, json!({}))).operation_with(
                "batch-read",
                "resource.get",
                get("s"),
                json!({"record": synced}),
            );
            with["batch"] = json!("batch");
            with["batch_read"] = json!("batch-read");
        }
        builder.verdict::<ContentIsStoredAsSent>(with)
    }

    fn done() -> Value {
        json!({"status": "completed", "applied_count": 1, "skipped_count": 0, "conflict_log": [], "metadata": {}})
    }

    /// Returns the verdict where other records keep a value, and the migrated one has another one.
    fn read_as(sent: &Value, migrated: &Value) -> Verdict {
        let other = |value: &Value| json!({ "motto": value });
        let stored = Stored { migrated: other(migrated), own: other(sent), synced: Some(other(sent)) };
        verdict(&other(sent), &stored, &done())
    }

    #[test]
    fn a_value_that_other_records_keep_is_kept() {
        for sent in [json!("  a "), json!("Cafe\u{301}"), json!(BIG), json!([" a", 1])] {
            assert_eq!(read_as(&sent, &sent), Kept, "{sent}");
            assert_eq!(read_as(&sent, &Value::Null), Broken, "{sent} is lost");
            assert_eq!(read_as(&sent, &json!({"value": 1})), Unproven, "{sent} in another form");
        }
        for (sent, found) in [(" a b ", "a"), (" a b ", ""), ("Cafe\u{301}", "Cafe"), (" a", "b")] {
            assert_eq!(read_as(&json!(sent), &json!(found)), Broken, "{sent:?} {found:?}");
        }
        for (sent, found) in [("  a ", "a"), ("Cafe\u{301}", "Café"), (" Cafe\u{301}", "Café")] {
            assert_eq!(read_as(&json!(sent), &json!(found)), Unproven, "{sent:?}: it is normalised");
            assert_eq!(read_as(&json!([sent]), &json!([found])), Unproven, "{sent:?}: it is normalised");
        }
        assert_eq!(read_as(&json!(""), &Value::Null), Unproven, "an empty text says nothing");
        assert_eq!(read_as(&json!([" a", 1]), &json!([" a"])), Broken);
        assert_eq!(read_as(&json!(BIG), &json!(1_234_567_890_123_456_800_i64)), Broken);
        assert_eq!(
            read_as(&json!(BIG), &json!(1.234_567_890_123_456_8e18)),
            Unproven,
            "other digits may stand there"
        );
        assert_eq!(read_as(&json!(BIG), &json!(BIG.to_string())), Unproven, "as a text");
    }

    #[test]
    fn a_rule_that_holds_for_other_records_too_changes_what_it_likes() {
        let content = json!({"motto": " a "});
        let (whole, cut) = (content.clone(), json!({"motto": ""}));
        let read = |own: &Value, synced: Option<&Value>| {
            let stored = Stored { migrated: cut.clone(), own: own.clone(), synced: synced.cloned() };
            verdict(&content, &stored, &done())
        };
        assert_eq!(read(&whole, Some(&whole)), Broken);
        assert_eq!(read(&whole, None), Unproven, "a rule may hold for what peers send");
        assert_eq!(read(&cut, Some(&whole)), Unproven);
        assert_eq!(read(&whole, Some(&cut)), Unproven);
        assert_eq!(read(&whole, Some(&Value::Null)), Unproven, "the batch was refused");
    }

    #[test]
    fn the_digits_of_a_number_need_no_batch() {
        let read = |migrated: Value, own: i64| {
            let stored = Stored { migrated, own: json!({ "rank": own }), synced: None };
            verdict(&json!({ "rank": BIG }), &stored, &done())
        };
        assert_eq!(read(json!({ "rank": BIG }), BIG), Kept);
        assert_eq!(read(json!({"rank": 1_234_567_890_123_456_800_i64}), BIG), Broken);
        assert_eq!(read(json!({"rank": 1_234_567_890_123_456_800_i64}), 1_234_567_890_123_456_800), Unproven);
        assert_eq!(read(json!({}), BIG), Unproven, "it is missing");
    }

    #[test]
    fn a_member_of_an_object_is_compared_by_itself_and_may_have_moved() {
        let content =
            json!({"metadata": {"remark": " worth a note", "list": ["a "], "state": "new", "note_id": " x"}});
        let read = |migrated: Value, data: &Value| {
            let stored = Stored { migrated, own: content.clone(), synced: Some(content.clone()) };
            verdict(&content, &stored, data)
        };
        let mut more = content.clone();
        more["metadata"]["came_from"] = json!("alice");
        assert_eq!(read(more, &done()), Kept);
        assert_eq!(
            read(json!({"metadata": {"remark": " worth a note", "list": ["a "]}}), &done()),
            Kept,
            "an id is for 7.4, and a state is free"
        );
        assert_eq!(read(json!({"name": "m"}), &done()), Broken);
        assert_eq!(read(json!({"metadata": {"remark": " worth a note"}}), &done()), Broken);
        assert_eq!(read(json!({"metadata": "{}"}), &done()), Unproven, "in another form");
        assert_eq!(read(json!({"extra": content["metadata"]}), &done()), Unproven, "it moved");
        let mut warned = done();
        warned["warnings"] = json!(["a member is not stored"]);
        assert_eq!(read(json!({}), &warned), Unproven, "the answer says so");
        let mut named = done();
        named["left_out"] = json!(["metadata"]);
        assert_eq!(read(json!({}), &named), Unproven, "the answer names it");
        let mut crossed = done();
        crossed["metadata"] = json!({"cross_jurisdiction": {"from": "eu", "to": "us"}});
        assert_eq!(read(json!({}), &crossed), Broken);
        let skipped = json!({"status": "completed", "applied_count": 0, "skipped_count": 1});
        assert_eq!(read(json!({}), &skipped), Unproven);
        let mut logged = done();
        logged["conflict_log"] = json!([{"step_order": 1}]);
        assert_eq!(read(json!({}), &logged), Unproven);
    }
}
