//! `sync-streams-are-intact`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::batches::{fits, is_same};
use crate::check::arguments::PeerName;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::last_put;
use crate::check::query::{Call, CallQuery, calls, operations_of, peer_id};
use covenant_model::operator::{OperatorMethod, resource};
use covenant_model::transcript::{Exchange, Operation, Trace};
use covenant_model::wire::canonical::{DigestMatch, compare_digest};
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::{SyncBatch, is_same_place};

/// Each batch that the target syncs has the digest of its records, begins where the one before ended, repeats
/// no record, and gives each record the content that the operator put there. All records arrive.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SyncStreamsAreIntact {
    /// The peer that is synced to.
    pub peer: PeerName,
    /// `true` if the operator let the target sync until nothing was left. A record that did not arrive, though
    /// one like it did that was put later, was then left out.
    #[serde(default)]
    pub to_the_end: bool,
}

impl Check for SyncStreamsAreIntact {
    const ID: &'static str = "sync-streams-are-intact";
    const EXPECTED: &'static [&'static str] =
        &["batches with the right digest and content, each of which begins where the one before ended"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut accepted: Vec<(u64, SyncBatch)> = vec![];
        let mut open = None;
        for call in calls(trace).of(&self.peer).made_by_target().on(Route::Sync) {
            let unproven = |reason| Stop::unproven(reason, [call.n()]);
            let Some(body) = call.exchange.sent() else {
                open.get_or_insert(unproven("a batch that is no JSON, or too long to keep"));
                continue;
            };
            let Ok(batch) = SyncBatch::deserialize(body) else {
                open.get_or_insert(unproven("a batch of another form"));
                continue;
            };
            let earlier = accepted.iter().map(|(_, earlier)| earlier);
            let stream: Vec<&SyncBatch> =
                earlier.filter(|earlier| earlier.resource_kind == batch.resource_kind).collect();
            let written = trace.exchange_as_written(call.n()).and_then(Exchange::sent).unwrap_or(body);
            let digest = compare_digest(&written["records"], &batch.sha256);
            let of_kind = |fault: String| format!("a batch of {}: {fault}", batch.resource_kind);
            if let Some(fault) = fault(digest, &batch, &stream) {
                return Err(Stop::final_breach(of_kind(fault), [call.n()]));
            }
            // What the operator reads later may show that the target stores the content otherwise.
            if let Some(id) = changed(trace, &batch) {
                let actual = of_kind(format!("{id} is nothing that the operator put there"));
                return Err(Stop::broken(actual, [call.n()]));
            }
            if digest == DigestMatch::Unknown {
                open.get_or_insert(unproven("a batch that is too long, or has a number of which only the nearest float is known, and a digest of none of its common forms"));
            }
            if goes_back(&stream, &batch) {
                open.get_or_insert(unproven("a stream that began again from where it was before"));
            }
            if call.exchange.succeeded() {
                accepted.push((call.n(), batch));
            }
        }
        if let Some(open) = open {
            return Err(open);
        }
        let (evidence, batches): (Vec<u64>, Vec<SyncBatch>) = accepted.into_iter().unzip();
        if batches.is_empty() {
            return Err(Stop::unproven("no batch of the target was accepted", evidence));
        }
        if let Some(actual) = self.to_the_end.then(|| left_out(trace, &self.peer, &batches)).flatten() {
            return Err(Stop::broken(actual, evidence));
        }
        match missing(trace, &batches) {
            Some(reason) => Err(Stop::unproven(reason, evidence)),
            None => Ok(Pass::new(format!("{} batches were intact", batches.len()), evidence)),
        }
    }
}

/// Returns whether a batch begins where the stream ended.
fn continues(stream: &[&SyncBatch], batch: &SyncBatch) -> bool {
    stream.last().is_none_or(|last| is_same_place(&last.cursor.to, &batch.cursor.from))
}

/// Returns whether a batch begins at the place of an earlier one: a stream that is sent again, or a batch
/// that is retried.
fn goes_back(stream: &[&SyncBatch], batch: &SyncBatch) -> bool {
    let begins_like = |earlier: &&SyncBatch| is_same_place(&earlier.cursor.from, &batch.cursor.from);
    !continues(stream, batch) && stream.iter().any(begins_like)
}

/// Returns the fault of a batch in itself or in its stream, in words.
fn fault(digest: DigestMatch, batch: &SyncBatch, stream: &[&SyncBatch]) -> Option<String> {
    if digest == DigestMatch::Wrong {
        return Some("the digest is not that of the records".to_owned());
    }
    if let Some(id) = repeated(batch) {
        return Some(format!("{id} occurs twice"));
    }
    let last = stream.last().filter(|_| !continues(stream, batch) && !goes_back(stream, batch))?;
    let (from, end) = (&batch.cursor.from, &last.cursor.to);
    Some(format!("begins at {from}, and the one before ended at {end}"))
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
        let mut states = states_of(trace, &batch.resource_kind, &record.id).peekable();
        states.peek().is_some() && !states.any(|state| fits(state, &record.payload))
    });
    found.map(|record| record.id.as_str())
}

/// Returns a record that the operator put there and that did not arrive in its final state, in words. A
/// member that no record shows is withheld from all, by choice of the target, and does not count.
fn missing(trace: &Trace, batches: &[SyncBatch]) -> Option<String> {
    let arrived = |kind: &str, id: &str| {
        let records = batches.iter().rev().filter(|batch| batch.resource_kind == kind);
        records.flat_map(|batch| batch.records.iter().rev()).find(|record| record.id == id)
    };
    let shown: BTreeSet<&String> = batches
        .iter()
        .flat_map(|batch| &batch.records)
        .flat_map(|record| record.payload.keys().filter(|name| *name != "id"))
        .collect();
    let mut places = operations_of(trace, resource::Put::METHOD)
        .filter_map(|put| Some((put.parameters["kind"].as_str()?, put.parameters["id"].as_str()?)));
    places.find_map(|(kind, id)| {
        let put = last_put(trace, u64::MAX, kind, id)?;
        let Some(record) = arrived(kind, id) else {
            return Some(format!("{kind}/{id} did not arrive"));
        };
        let mut due = put.iter().filter(|(name, _)| shown.contains(name)).peekable();
        if due.peek().is_none() {
            return Some(format!("nothing of {kind}/{id} arrived but its id"));
        }
        let lacking = due
            .find(|(name, value)| record.payload.get(*name).is_none_or(|arrived| !is_same(value, arrived)));
        lacking.map(|(name, _)| format!("{name} of {kind}/{id} did not arrive as it was put last"))
    })
}

/// Returns a record that was left out of a stream of which nothing was left to send, in words. A target may be
/// behind, or share only some records, so that the one of its kind that was put last has to have arrived, and has the same members.
fn left_out(trace: &Trace, peer: &str, batches: &[SyncBatch]) -> Option<String> {
    if !is_idle(trace, peer) {
        return None;
    }
    let put: Vec<&Operation> = operations_of(trace, resource::Put::METHOD).collect();
    let names = |put: &Operation| -> Option<Vec<String>> {
        Some(put.parameters["record"].as_object()?.keys().cloned().collect())
    };
    let arrived = |put: &Operation| {
        let of_kind = batches.iter().filter(|batch| put.parameters["kind"] == batch.resource_kind.as_str());
        of_kind.flat_map(|batch| &batch.records).any(|record| put.parameters["id"] == record.id.as_str())
    };
    let is_like = |one: &Operation, other: &Operation| {
        one.parameters["kind"] == other.parameters["kind"] && names(one) == names(other)
    };
    // The record that was put last of its kind shows that the kind is shared.
    let is_last = |place: usize| {
        put[place + 1..].iter().all(|later| later.parameters["kind"] != put[place].parameters["kind"])
    };
    let shown: Vec<usize> = (0..put.len()).filter(|place| is_last(*place) && arrived(put[*place])).collect();
    let is_due = |place: usize| shown.iter().any(|last| place < *last && is_like(put[place], put[*last]));
    let lacking: Vec<&Operation> = (0..put.len())
        .filter(|place| is_due(*place))
        .map(|place| put[place])
        .filter(|put| !arrived(put))
        .collect();
    let first = lacking.first()?;
    let (kind, id) = (first.parameters["kind"].as_str()?, first.parameters["id"].as_str()?);
    let count = lacking.len();
    Some(format!("{count} records were left out, the first of them {kind}/{id}"))
}

/// Returns whether the last sync that the operator asked for succeeded and sent nothing new, and nothing was put
/// since the one before: nothing was left to send. A target may send its whole state each time.
fn is_idle(trace: &Trace, peer: &str) -> bool {
    let id = peer_id(trace, peer);
    let is_for_other = |run: &Operation| {
        id.as_ref().is_some_and(|id| run.parameters["peer_id"].as_str().is_some_and(|of| of != id))
    };
    let runs = trace.operations([resource::RunSync::METHOD]).filter(|(_, run)| !is_for_other(run));
    let runs: Vec<(u64, &Operation)> = runs.collect();
    let [.., (before, done), (_, last)] = runs.as_slice() else { return false };
    let is_put_since = trace.operations([resource::Put::METHOD]).any(|(n, _)| n > *before);
    let sent = || calls(trace).of(peer).made_by_target().on(Route::Sync);
    let states: Vec<_> =
        sent().before(*before).filter_map(|call| records_of(&call)).flatten().map(state).collect();
    let is_known = |call: Call<'_>| {
        records_of(&call).is_some_and(|records| records.iter().all(|record| states.contains(&state(record))))
    };
    let is_done = [done, last].iter().all(|run| run.failure.is_none());
    let sends_nothing_new = sent().filter(|call| call.n() > *before).all(is_known);
    is_done && !is_put_since && sends_nothing_new && sent().all(|call| call.exchange.succeeded())
}

fn records_of<'a>(call: &Call<'a>) -> Option<&'a Vec<Value>> {
    let exchange: &'a Exchange = call.exchange;
    exchange.sent()?["records"].as_array()
}

/// Returns a record as it is at one time, without the time.
fn state(record: &Value) -> (&Value, &Value) {
    (&record["id"], &record["payload"])
}

/// Returns the states into which the operator put a record, and those in which the operator saw it: a target may change
/// a text when it stores it.
fn states_of<'a>(
    trace: &'a Trace,
    kind: &'a str,
    id: &'a str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    let of = move |operation: &&Operation| {
        operation.parameters["kind"] == kind && operation.parameters["id"] == id
    };
    let put = operations_of(trace, resource::Put::METHOD).filter(of);
    let put = put.map(|put| &put.parameters["record"]);
    let seen = operations_of(trace, resource::Get::METHOD).filter(of);
    let seen = seen.filter_map(|get| get.result.as_ref()?.get("record"));
    put.chain(seen).filter_map(Value::as_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c06::tests::{batch, batch_of};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    fn verdict_of(puts: &[Value], batches: &[Value]) -> Verdict {
        let mut builder = TraceBuilder::new();
        for record in puts {
            let put = json!({"kind": "skill", "id": record["id"], "record": record});
            builder = builder.operation_with("put", "resource.put", put, json!(null));
        }
        for batch in batches {
            let sync = Exchange::from_target("alice").on("POST", "sync");
            builder = builder.call("call", sync.sending(batch.clone()).answered(200));
        }
        builder.verdict::<SyncStreamsAreIntact>(json!({"peer": "alice"}))
    }

    /// Returns the verdict if the operator put `{"id": "a", "name": "a"}` and the target synced these
    /// batches.
    fn verdict(batches: &[Value]) -> Verdict {
        verdict_of(&[json!({"id": "a", "name": "a"})], batches)
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
    fn a_text_that_the_target_stores_otherwise_is_unproven() {
        let verdict = |stored: &str, sent: &str| {
            let record = |name: &str| json!({"id": "a", "name": name});
            let of_a = json!({"kind": "skill", "id": "a"});
            let put = json!({"kind": "skill", "id": "a", "record": record("\u{fb01}rst")});
            let seen = json!({"exists": true, "record": record(stored)});
            let batch = batch_of(&json!("0"), &json!("1"), &[record(sent)]);
            TraceBuilder::new()
                .operation_with("put", "resource.put", put, json!(null))
                .operation_with("", "resource.get", of_a, seen)
                .call("call", Exchange::from_target("alice").on("POST", "sync").sending(batch).answered(200))
                .verdict::<SyncStreamsAreIntact>(json!({"peer": "alice"}))
        };
        assert_eq!(verdict("\u{fb01}rst", "\u{fb01}rst"), Kept);
        assert_eq!(verdict("first", "first"), Unproven);
        assert_eq!(verdict("\u{fb01}rst", "first"), Broken);
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

    #[test]
    fn a_record_that_a_stream_leaves_out_is_broken_at_its_end_alone() {
        let verdict = |last: &[&str], to_the_end: bool, puts: [Value; 3]| {
            let mut builder = TraceBuilder::new();
            for record in puts {
                let put = json!({"kind": "skill", "id": record["id"], "record": record});
                builder = builder.operation_with("put", "resource.put", put, json!(null));
            }
            let of = |from: &str, to: &str, ids: &[&str]| {
                batch_of(
                    &json!(from),
                    &json!(to),
                    &ids.iter().map(|id| json!({"id": id, "name": id})).collect::<Vec<_>>(),
                )
            };
            let sync =
                |batch: Value| Exchange::from_target("alice").on("POST", "sync").sending(batch).answered(200);
            builder =
                builder.call("call", sync(of("0", "2", &["a", "c"]))).operation("", "sync.run", json!({}));
            if !last.is_empty() {
                builder = builder.call("call", sync(of("2", "3", last)));
            }
            let builder = builder.operation("", "sync.run", json!({}));
            builder.verdict::<SyncStreamsAreIntact>(json!({"peer": "alice", "to_the_end": to_the_end}))
        };
        let record = |id: &str| json!({"id": id, "name": id});
        let like = || ["a", "b", "c"].map(record);
        assert_eq!(verdict(&[], true, like()), Broken);
        assert_eq!(verdict(&[], false, like()), Unproven, "it may be behind");
        assert_eq!(verdict(&["b"], true, like()), Kept);
        assert_eq!(verdict(&["a", "c"], true, like()), Broken, "it sends its whole state again");
        assert_eq!(verdict(&[], true, ["a", "c", "b"].map(record)), Unproven, "the last may be due");
        let other = json!({"id": "b", "name": "b", "secret": "s"});
        assert_eq!(verdict(&[], true, [record("a"), other, record("c")]), Unproven, "it may be withheld");
    }

    #[test]
    fn the_streams_of_each_kind_are_looked_at_where_its_own_peer_is_idle() {
        let verdict = |later: bool, agents: &[&str]| {
            let record = |id: &str| json!({"id": id, "name": id});
            let mut builder = TraceBuilder::new().operation_with(
                "alice",
                "peer.join",
                json!({"peer": "alice"}),
                json!({"peer_id": "a-1"}),
            );
            for (kind, id) in [("agent", "x"), ("agent", "y"), ("skill", "s")] {
                let put = json!({"kind": kind, "id": id, "record": record(id)});
                builder = builder.operation_with("put", "resource.put", put, json!(null));
            }
            for (kind, ids) in [("agent", agents), ("skill", &["s"][..])] {
                let records: Vec<Value> = ids.iter().map(|id| record(id)).collect();
                let mut batch = batch_of(&json!("0"), &json!("1"), &records);
                batch["resource_kind"] = json!(kind);
                let sync = Exchange::from_target("alice").on("POST", "sync").sending(batch);
                builder = builder.call("call", sync.answered(200));
            }
            let run = |builder: TraceBuilder, id: &str| {
                builder.operation_with("", "sync.run", json!({"peer_id": id}), json!({}))
            };
            builder = run(run(builder, "a-1"), "b-2");
            if later {
                builder = run(run(builder, "a-1"), "b-2");
            }
            builder.verdict::<SyncStreamsAreIntact>(json!({"peer": "alice", "to_the_end": true}))
        };
        assert_eq!(verdict(true, &["x", "y"]), Kept);
        assert_eq!(verdict(true, &["y"]), Broken, "the last of the other kind arrived");
        assert_eq!(verdict(true, &["x"]), Unproven, "the last may be due");
        assert_eq!(verdict(false, &["y"]), Unproven, "the second sync was for another peer");
    }
}
