//! 6.3: sync streams are not corrupted, and corrupt ones are rejected.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::check::CheckResult;
use crate::check::common::is_same_number;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use crate::check::model::{OWN_MEMBERS, Place, Records, last_put, records};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::canonical::is_digest_of;
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::{SyncBatch, is_same_place};

pub(super) const STREAMS_ARE_WHOLE: LegacyCheck = LegacyCheck {
    name: "sync-streams-are-intact",
    about: "each batch that the target syncs has the digest of its records, joins on to the one before, \
            repeats nothing, and says of each record what the operator put there; all of that arrives",
    parameters: &[LegacyParameter::required("peer", "the name of the peer that is synced to")],
    evaluate: streams_are_whole,
};

pub(super) const NOTHING_IS_STORED: LegacyCheck = LegacyCheck {
    name: "rejected-records-are-not-stored",
    about: "of the records in what was refused, none was stored",
    parameters: &[
        LegacyParameter::required("call", "labels of the calls that were to be refused"),
        BEFORE,
        AFTER,
        CONTROL,
    ],
    evaluate: nothing_is_stored,
};

pub(super) const OTHERS_STAY: LegacyCheck = LegacyCheck {
    name: "other-records-are-unchanged",
    about: "a record that stands under one id in a batch, and names another, changes nothing of the other",
    parameters: &[
        LegacyParameter::required("call", "labels of the calls with such records"),
        BEFORE,
        AFTER,
        CONTROL,
    ],
    evaluate: others_stay,
};

const BEFORE: LegacyParameter =
    LegacyParameter::required("before", "label of the look at the records before them");
const AFTER: LegacyParameter = LegacyParameter::required("after", "label of the look after them");
const CONTROL: LegacyParameter = LegacyParameter::optional(
    "control",
    "label of a valid call before them: what it brought has to be there, or the target keeps nothing at all",
);

fn streams_are_whole(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("batches with the right digest and content, each joined on to the one before")
    };
    let mut taken: Vec<(u64, SyncBatch)> = vec![];
    let mut open = None;
    for (entry, exchange) in trace.exchanges_of(with.text("peer"), Direction::FromTarget) {
        if exchange.route() != Some(Route::Sync) {
            continue;
        }
        let unproven = |reason| CheckResult::unproven(reason, vec![entry.n]);
        let Some(body) = exchange.sent() else {
            open.get_or_insert(unproven("a batch that is no JSON, or too long to keep"));
            continue;
        };
        let Ok(batch) = SyncBatch::deserialize(body) else {
            open.get_or_insert(unproven("a batch of another form"));
            continue;
        };
        let stream: Vec<&SyncBatch> =
            taken.iter().map(|(_, one)| one).filter(|one| one.resource_kind == batch.resource_kind).collect();
        if let Some(fault) = fault(trace, body, &batch, &stream) {
            let actual = format!("a batch of {}: {fault}", batch.resource_kind);
            return expect(CheckResult::broken(actual, vec![entry.n]));
        }
        if goes_back(&stream, &batch) {
            open.get_or_insert(unproven("a stream that began again from where it was before"));
        }
        if exchange.succeeded() {
            taken.push((entry.n, batch));
        }
    }
    if let Some(open) = open {
        return expect(open);
    }
    let (evidence, batches): (Vec<u64>, Vec<SyncBatch>) = taken.into_iter().unzip();
    if batches.is_empty() {
        return expect(CheckResult::unproven("no batch of the target's was taken", evidence));
    }
    match missing(trace, &batches) {
        Some(what) => expect(CheckResult::unproven(what, evidence)),
        None => expect(CheckResult::kept(format!("{} batches were whole", batches.len()), evidence)),
    }
}

fn joins_on(stream: &[&SyncBatch], batch: &SyncBatch) -> bool {
    stream.last().is_none_or(|last| is_same_place(&last.cursor.to, &batch.cursor.from))
}

/// Returns whether a batch begins at the place of an earlier one: a stream that is sent again, or a batch
/// that is retried.
fn goes_back(stream: &[&SyncBatch], batch: &SyncBatch) -> bool {
    !joins_on(stream, batch) && stream.iter().any(|one| is_same_place(&one.cursor.from, &batch.cursor.from))
}

/// Returns the fault of a batch, in words.
fn fault(trace: &Trace, body: &Value, batch: &SyncBatch, stream: &[&SyncBatch]) -> Option<String> {
    if !is_digest_of(&body["records"], &batch.sha256) {
        return Some("the digest is not that of the records".to_owned());
    }
    if let Some(id) = repeated(batch) {
        return Some(format!("{id} stands twice"));
    }
    if let Some(last) = stream.last().filter(|_| !joins_on(stream, batch) && !goes_back(stream, batch)) {
        let (from, end) = (&batch.cursor.from, &last.cursor.to);
        return Some(format!("begins at {from}, and the one before ended at {end}"));
    }
    changed(trace, batch).map(|id| format!("{id} is nothing that the operator put there"))
}

/// Returns a record that is repeated without a change. A log of changes holds several states of one record.
fn repeated(batch: &SyncBatch) -> Option<&str> {
    let records = batch.records.iter().enumerate();
    let mut again = records.filter(|(place, record)| batch.records[..*place].contains(record));
    again.next().map(|(_, record)| record.id.as_str())
}

/// Returns a record that fits none of the states that the operator put it into. A target may be behind.
fn changed<'a>(trace: &Trace, batch: &'a SyncBatch) -> Option<&'a str> {
    let found = batch.records.iter().find(|record| {
        let mut states = puts(trace, &batch.resource_kind, &record.id).peekable();
        states.peek().is_some() && !states.any(|state| fits(state, &record.payload))
    });
    found.map(|record| record.id.as_str())
}

/// Returns whether no sent member differs. The target may add or withhold members.
fn fits(put: &Map<String, Value>, sent: &Map<String, Value>) -> bool {
    put.iter().all(|(name, value)| sent.get(name).is_none_or(|sent| is_same(value, sent)))
}

/// Returns whether both are the same value: 1.0 is 1.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => fits(one, other),
        _ => is_same_number(Some(one), Some(other)),
    }
}

/// Returns a record that the operator put there and that did not arrive in its final state, in words. A
/// member that no record shows is withheld from all, by choice of the target, and does not count.
fn missing(trace: &Trace, batches: &[SyncBatch]) -> Option<String> {
    let arrived = |kind: &str, id: &str| {
        let records = batches.iter().rev().filter(|batch| batch.resource_kind == kind);
        records.flat_map(|batch| batch.records.iter().rev()).find(|record| record.id == id)
    };
    let told: BTreeSet<&String> = batches
        .iter()
        .flat_map(|batch| &batch.records)
        .flat_map(|record| record.payload.keys().filter(|name| *name != "id"))
        .collect();
    let operations = trace.entries().iter().filter_map(|entry| entry.operation());
    let mut places = operations
        .filter(|operation| operation.method == "resource.put")
        .filter_map(|put| Some((put.parameters["kind"].as_str()?, put.parameters["id"].as_str()?)));
    places.find_map(|(kind, id)| {
        let put = last_put(trace, u64::MAX, kind, id)?;
        let Some(record) = arrived(kind, id) else {
            return Some(format!("{kind}/{id} did not arrive"));
        };
        let mut due = put.iter().filter(|(name, _)| told.contains(name)).peekable();
        if due.peek().is_none() {
            return Some(format!("nothing of {kind}/{id} arrived but its id"));
        }
        let lacking = due
            .find(|(name, value)| record.payload.get(*name).is_none_or(|arrived| !is_same(value, arrived)));
        lacking.map(|(name, _)| format!("{name} of {kind}/{id} did not arrive as it was put last"))
    })
}

/// Returns all states that the operator put a record into, at any time: a batch may be recorded before the
/// operation that caused it.
fn puts<'a>(trace: &'a Trace, kind: &'a str, id: &'a str) -> impl Iterator<Item = &'a Map<String, Value>> {
    let operations = trace.entries().iter().filter_map(|entry| entry.operation());
    operations
        .filter(move |operation| operation.parameters["kind"] == kind && operation.parameters["id"] == id)
        .filter(|operation| operation.method == "resource.put")
        .filter_map(|put| put.parameters["record"].as_object())
}

fn nothing_is_stored(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    stay(trace, with, rows).expecting("the records of these calls as they were before")
}

fn others_stay(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    stay(trace, with, others)
        .expecting("the records that these calls name beside their own as they were before")
}

/// A record of a batch: its place and its content.
type Row<'a> = (Place, &'a Map<String, Value>);

/// Evaluates whether these records of the calls are as they were before.
fn stay(trace: &Trace, with: Arguments<'_>, asked_of: fn(&Value) -> Vec<Row<'_>>) -> CheckResult {
    let bodies = |label: &str| -> Vec<(u64, Value)> {
        let calls = trace.exchanges_labelled(label);
        calls.filter_map(|(n, call)| Some((n, call.sent()?.clone()))).collect()
    };
    let calls: Vec<(u64, Value)> = with.texts("call").into_iter().flat_map(bodies).collect();
    let (Some((mut evidence, before)), Some((seen_after, after))) =
        (records(trace, with.text("before")), records(trace, with.text("after")))
    else {
        return CheckResult::unproven("the records could not be read", vec![]);
    };
    let asked: Vec<Row<'_>> = calls.iter().flat_map(|(_, body)| asked_of(body)).collect();
    if asked.is_empty() {
        return CheckResult::unproven("no such call was made", evidence);
    }
    evidence.extend(calls.iter().map(|(n, _)| *n));
    evidence.extend(seen_after);
    if let Some((place, _)) = asked.iter().find(|row| was_changed(row, &before, &after)) {
        let (kind, id) = place;
        let what = match (before.contains_key(place), after.contains_key(place)) {
            (_, false) => "is gone",
            (true, true) => "was changed",
            (false, true) => "was stored",
        };
        return CheckResult::broken(format!("{kind}/{id} {what}"), evidence);
    }
    let controls = with.text_if_given("control").map(bodies);
    let is_there = |(place, payload): &Row<'_>| before.get(place).is_some_and(|kept| fits(payload, kept));
    if controls
        .is_some_and(|controls| !controls.iter().flat_map(|(_, body)| rows(body)).any(|row| is_there(&row)))
    {
        return CheckResult::unproven("what a valid call brought was not there either", evidence);
    }
    CheckResult::kept(format!("{} records, none of them stored", asked.len()), evidence)
}

/// Returns whether a record was added or removed, or differs in the content that a call gives. A target may
/// have and change records of its own meanwhile, and add members of its own to a record.
fn was_changed((place, payload): &Row<'_>, before: &Records, after: &Records) -> bool {
    match (before.get(place), after.get(place)) {
        (Some(before), Some(after)) => {
            let mut names = payload.keys().filter(|name| !OWN_MEMBERS.contains(&name.as_str()));
            names.any(|name| before.get(name) != after.get(name))
        }
        (before, after) => before.is_some() != after.is_some(),
    }
}

/// Returns the records of a batch.
fn rows(batch: &Value) -> Vec<Row<'_>> {
    rows_by(batch, |record| record["id"].as_str())
}

/// Returns the records that are named inside others.
fn others(batch: &Value) -> Vec<Row<'_>> {
    rows_by(batch, |record| record["payload"]["id"].as_str().filter(|id| record["id"] != **id))
}

fn rows_by<'a>(batch: &'a Value, id_of: fn(&'a Value) -> Option<&'a str>) -> Vec<Row<'a>> {
    let kind = batch["resource_kind"].as_str().unwrap_or_default();
    let records = batch["records"].as_array().into_iter().flatten();
    let row = |record: &'a Value| {
        Some(((kind.to_owned(), id_of(record)?.to_owned()), record["payload"].as_object()?))
    };
    records.filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Exchange, Operation, Recorder, What};
    use covenant_model::wire::canonical::{canonical_json, sha256_hex};
    use serde_json::json;

    fn trace(puts: &[Value], batches: &[Value]) -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for record in puts {
            let parameters = json!({"kind": "skill", "id": record["id"], "record": record});
            let put = Operation { method: "resource.put".into(), parameters, result: None, failure: None };
            recorder.record(None, None, What::Operation(put));
        }
        for batch in batches {
            recorder.record(None, Some("call"), What::Exchange(sync(batch)));
        }
        recorder.trace()
    }

    fn sync(batch: &Value) -> Exchange {
        Exchange::from_target("alice").on("POST", "sync").sending(batch.clone()).answered(200)
    }

    fn verdict_of(puts: &[Value], batches: &[Value]) -> Verdict {
        let with = [("peer".to_owned(), json!("alice"))].into();
        streams_are_whole(&trace(puts, batches), Arguments::new(&with)).verdict
    }

    /// Returns the verdict if the operator put `{"id": "a", "name": "a"}` and the target synced these
    /// batches.
    fn verdict(batches: &[Value]) -> Verdict {
        verdict_of(&[json!({"id": "a", "name": "a"})], batches)
    }

    fn batch_of(from: &Value, to: &Value, payloads: &[Value]) -> Value {
        let record = |payload: &Value| json!({"id": payload["id"], "updated_at": "2026-06-01T00:00:00Z", "payload": payload});
        let records: Vec<Value> = payloads.iter().map(record).collect();
        let sha256 = sha256_hex(canonical_json(&json!(records)));
        json!({"resource_kind": "skill", "cursor": {"from": from, "to": to}, "records": records, "sha256": sha256})
    }

    fn batch(from: &str, to: &str, names: &[&str]) -> Value {
        let payloads: Vec<Value> = names.iter().map(|name| json!({"id": "a", "name": name})).collect();
        batch_of(&json!(from), &json!(to), &payloads)
    }

    #[test]
    fn a_batch_with_a_wrong_digest_a_gap_a_repeat_or_other_content_is_broken() {
        assert_eq!(verdict(&[]), Unproven);
        assert_eq!(verdict(&[batch("0", "1", &["a"]), batch("1", "2", &["a"])]), Kept);
        assert_eq!(verdict(&[batch("0", "1", &["a"]), batch("2", "3", &["a"])]), Broken);
        assert_eq!(verdict(&[batch("0", "2", &["a", "a"])]), Broken);
        assert_eq!(verdict(&[batch("0", "1", &["b"])]), Broken);
        let mut other = batch("0", "1", &["a"]);
        other["sha256"] = json!("00");
        assert_eq!(verdict(&[other]), Broken);
    }

    #[test]
    fn a_target_may_be_behind_keep_a_log_and_write_numbers_otherwise() {
        let puts = [json!({"id": "a", "rank": 1}), json!({"id": "a", "rank": 2})];
        let (one, two) = (json!({"id": "a", "rank": 1.0}), json!({"id": "a", "rank": 2}));
        let of = |from: Value, to: Value, payloads: &[&Value]| {
            batch_of(&from, &to, &payloads.iter().map(|payload| (*payload).clone()).collect::<Vec<_>>())
        };
        assert_eq!(
            verdict_of(&puts, &[of(json!(0), json!(1), &[&one]), of(json!("1"), json!(2), &[&two])]),
            Kept
        );
        assert_eq!(verdict_of(&puts, &[of(json!(0), json!(2), &[&one, &two])]), Kept);
        assert_eq!(verdict_of(&puts, &[of(json!(0), json!(1), &[&one])]), Unproven);
        assert_eq!(verdict_of(&puts, &[of(json!(0), json!(1), &[&json!({"id": "a", "rank": 3})])]), Broken);
    }

    #[test]
    fn a_stream_that_begins_again_where_it_was_before_is_open() {
        let twice = [batch("0", "1", &["a"]), batch("1", "2", &["a"]), batch("0", "2", &["a"])];
        assert_eq!(verdict(&twice), Unproven);
        let mut changed = twice;
        changed[2] = batch("0", "2", &["b"]);
        assert_eq!(verdict(&changed), Broken);
    }

    #[test]
    fn what_is_left_out_silently_is_never_kept() {
        let puts = [json!({"id": "a", "name": "a"}), json!({"id": "b", "name": "b", "secret": "s"})];
        let of = |payloads: &[Value]| batch_of(&json!("0"), &json!("1"), payloads);
        let (a, b) = (puts[0].clone(), json!({"id": "b", "name": "b"}));
        assert_eq!(verdict_of(&puts, &[of(&[])]), Unproven);
        assert_eq!(verdict_of(&puts, &[of(std::slice::from_ref(&a))]), Unproven);
        assert_eq!(verdict_of(&puts, &[of(&[a.clone(), json!({"id": "b"})])]), Unproven);
        assert_eq!(verdict_of(&puts, &[of(&[a, b])]), Kept);
    }

    /// Evaluates a check over a batch that is sent between these reads of the records.
    fn evaluated(
        evaluate: fn(&Trace, Arguments<'_>) -> CheckResult,
        before: &Value,
        batch: &Value,
        after: &Value,
    ) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let look = |label: &str, rows: &Value| {
            let (parameters, result) = (json!({"kind": "skill"}), Some(json!({ "resources": rows })));
            let list = Operation { method: "resource.list".into(), parameters, result, failure: None };
            recorder.record(None, Some(label), What::Operation(list));
        };
        let valid = batch_of(&json!("0"), &json!("1"), &[json!({"id": "kept", "name": "kept"})]);
        recorder.record(None, Some("control"), What::Exchange(sync(&valid)));
        look("before", before);
        recorder.record(None, Some("call"), What::Exchange(sync(batch)));
        look("after", after);
        let with = ["call", "before", "after", "control"].map(|name| (name.to_owned(), json!(name))).into();
        evaluate(&recorder.trace(), Arguments::new(&with)).verdict
    }

    fn row(id: &str, record: &Value) -> Value {
        json!({"id": id, "record": record})
    }

    #[test]
    fn only_records_that_stood_in_the_call_can_have_been_stored() {
        let kept = row("kept", &json!({"name": "kept"}));
        let own = |beats: u64| row("own", &json!({"beats": beats}));
        let stored = |after: &[Value]| {
            evaluated(nothing_is_stored, &json!([kept, own(1)]), &batch("0", "1", &["a"]), &json!(after))
        };
        assert_eq!(stored(&[kept.clone(), own(2), row("new", &json!({}))]), Kept);
        assert_eq!(stored(&[kept.clone(), own(1), row("a", &json!({}))]), Broken);
    }

    #[test]
    fn what_comes_again_may_be_noted_and_may_not_undo_what_came_after_it() {
        let a = |name: &str, synced: u64| row("a", &json!({"name": name, "synced": synced}));
        let kept = row("kept", &json!({"name": "kept"}));
        let again = batch("0", "1", &["old"]);
        let evaluated = |before: &Value, after: &Value| evaluated(nothing_is_stored, before, &again, after);
        assert_eq!(evaluated(&json!([kept, a("new", 1)]), &json!([kept, a("new", 2)])), Kept);
        assert_eq!(evaluated(&json!([kept, a("new", 1)]), &json!([kept, a("old", 2)])), Broken);
        assert_eq!(evaluated(&json!([kept, a("new", 1)]), &json!([kept])), Broken);
        assert_eq!(
            evaluated(&json!([a("new", 1)]), &json!([a("new", 1)])),
            Unproven,
            "nothing is kept at all"
        );
    }

    #[test]
    fn a_record_may_stand_under_its_own_id_whatever_it_says_inside() {
        let mut crossed = batch("0", "1", &["theirs"]);
        crossed["records"][0]["id"] = json!("b");
        let kept = row("kept", &json!({"name": "kept"}));
        let a = |name: &str| row("a", &json!({"name": name}));
        let evaluated = |batch: &Value, after: &[Value]| {
            evaluated(others_stay, &json!([kept, a("own")]), batch, &json!(after))
        };
        let b = row("b", &json!({"name": "theirs"}));
        assert_eq!(evaluated(&crossed, &[kept.clone(), a("own")]), Kept);
        assert_eq!(evaluated(&crossed, &[kept.clone(), a("own"), b]), Kept);
        assert_eq!(evaluated(&crossed, &[kept.clone(), a("theirs")]), Broken);
        assert_eq!(evaluated(&batch("0", "1", &["theirs"]), &[kept.clone(), a("theirs")]), Unproven);
    }
}
