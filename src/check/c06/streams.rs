//! 6.3: sync streams are not corrupted, and corrupt ones are not taken.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::check::judge::Parameter;
use crate::check::model::{last_put, records};
use crate::check::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Story};
use crate::wire::canonical::is_digest_of;
use crate::wire::path::Route;
use crate::wire::sync::SyncBatch;

pub(super) const STREAMS_ARE_WHOLE: Judge = Judge {
    name: "streams-are-whole",
    about: "each batch that the target syncs has the digest of its records, joins on to the one before, \
            repeats nothing, and says of each record what the operator put there",
    parameters: &[Parameter::required("peer", "the name of the peer that is synced to")],
    decide: streams_are_whole,
};

pub(super) const NOTHING_IS_STORED: Judge = Judge {
    name: "nothing-is-stored",
    about: "what was refused left no trace among the records",
    parameters: &[
        Parameter::required("call", "labels of the calls that were to be refused"),
        Parameter::required("before", "label of the look at the records before them"),
        Parameter::required("after", "label of the look after them"),
    ],
    decide: nothing_is_stored,
};

fn streams_are_whole(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("batches with the right digest and content, each joined on to the one before")
    };
    let mut ends: BTreeMap<String, Value> = BTreeMap::new();
    let mut evidence = vec![];
    for (entry, exchange) in story.exchanges_of(with.text("peer"), Direction::FromTarget) {
        if exchange.route() != Some(Route::Sync) {
            continue;
        }
        let Some(body) = exchange.sent() else {
            return expect(Judgement::unproven(
                "a batch that is no JSON, or too long to keep",
                vec![entry.n],
            ));
        };
        let Ok(batch) = SyncBatch::deserialize(body) else {
            return expect(Judgement::unproven("a batch of another form", vec![entry.n]));
        };
        let before = ends.get(&batch.resource_kind);
        let faults = [
            (!is_digest_of(&body["records"], &batch.sha256))
                .then(|| "the digest is not that of the records".to_owned()),
            repeated(&batch).map(|id| format!("{id} stands twice")),
            before
                .filter(|end| **end != batch.cursor.from)
                .map(|end| format!("begins at {}, and the one before ended at {end}", batch.cursor.from)),
            changed(story, entry.n, &batch).map(|id| format!("{id} is not what the operator put there")),
        ];
        if let Some(fault) = faults.into_iter().flatten().next() {
            return expect(Judgement::broken(
                format!("a batch of {}: {fault}", batch.resource_kind),
                vec![entry.n],
            ));
        }
        evidence.push(entry.n);
        if exchange.succeeded() {
            ends.insert(batch.resource_kind, batch.cursor.to);
        }
    }
    if evidence.is_empty() {
        return expect(Judgement::unproven("the target synced nothing", vec![]));
    }
    expect(Judgement::kept(format!("{} batches were whole", evidence.len()), evidence))
}

fn repeated(batch: &SyncBatch) -> Option<&str> {
    let mut seen = BTreeSet::new();
    batch.records.iter().map(|record| record.id.as_str()).find(|id| !seen.insert(*id))
}

/// A record of which a member differs from what the operator last put there. What the target adds or
/// holds back is its own affair.
fn changed<'a>(story: &Story, before: u64, batch: &'a SyncBatch) -> Option<&'a str> {
    let differs = |put: &Map<String, Value>, sent: &Map<String, Value>| {
        put.iter().any(|(name, value)| sent.get(name).is_some_and(|sent| sent != value))
    };
    let found = batch.records.iter().find(|record| {
        last_put(story, before, &batch.resource_kind, &record.id)
            .is_some_and(|put| differs(put, &record.payload))
    });
    found.map(|record| record.id.as_str())
}

fn nothing_is_stored(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("the records as they were before");
    let calls: Vec<_> =
        with.texts("call").into_iter().flat_map(|label| story.exchanges_labelled(label)).collect();
    let (Some((mut evidence, before)), Some((seen_after, after))) =
        (records(story, with.text("before")), records(story, with.text("after")))
    else {
        return expect(Judgement::unproven("the records could not be read", vec![]));
    };
    if calls.is_empty() {
        return expect(Judgement::unproven("no such call was made", evidence));
    }
    evidence.extend(calls.iter().map(|(n, _)| *n));
    evidence.extend(seen_after);
    let changed = after.iter().find(|(place, record)| before.get(*place) != Some(*record));
    let gone = before.keys().find(|place| !after.contains_key(*place));
    match (changed, gone) {
        (Some(((kind, id), _)), _) => expect(Judgement::broken(format!("{kind}/{id} was stored"), evidence)),
        (_, Some((kind, id))) => expect(Judgement::broken(format!("{kind}/{id} is gone"), evidence)),
        (None, None) => expect(Judgement::kept(format!("{} records, none changed", after.len()), evidence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Exchange, Message, Operation, Recorder, What};
    use crate::wire::canonical::{canonical_json, sha256_hex};
    use crate::wire::path::PREFIX;
    use serde_json::json;

    /// The operator put `{"id": "a", "name": "a"}`; the target synced these batches.
    fn verdict(batches: &[Value]) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let put = json!({"kind": "skill", "id": "a", "record": {"id": "a", "name": "a"}});
        let put = Operation { verb: "resource.put".into(), parameters: put, result: None, failure: None };
        recorder.record(None, None, What::Operation(put));
        for batch in batches {
            let exchange = Exchange {
                peer: "alice".into(),
                direction: Direction::FromTarget,
                request: Message {
                    method: Some("POST".into()),
                    path: Some(format!("{PREFIX}/sync")),
                    body: Body::capture(batch.to_string().as_bytes()),
                    ..Message::default()
                },
                response: Some(Message { status: Some(200), ..Message::default() }),
                failure: None,
                tls: None,
                protocol: None,
                injected: vec![],
            };
            recorder.record(None, None, What::Exchange(exchange));
        }
        let with = [("peer".to_owned(), json!("alice"))].into();
        streams_are_whole(&recorder.story(), Arguments::new(&with)).verdict
    }

    fn batch(from: &str, to: &str, names: &[&str]) -> Value {
        let records: Vec<Value> = names
            .iter()
            .map(|name| json!({"id": "a", "updated_at": "2026-06-01T00:00:00Z", "payload": {"id": "a", "name": name}}))
            .collect();
        let sha256 = sha256_hex(canonical_json(&json!(records)));
        json!({"resource_kind": "skill", "cursor": {"from": from, "to": to}, "records": records, "sha256": sha256})
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
}
