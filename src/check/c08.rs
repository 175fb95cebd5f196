//! Commitment 8: data residency.

use serde_json::Value;

use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Story};
use crate::wire::path::Route;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "residency-declared",
        about: "the target says in its heartbeats where it keeps data",
        parameters: &[Parameter::required("peer", "the peer's name")],
        decide: residency_declared,
    },
    Judge {
        name: "crossing-is-told",
        about: "the operator has an event about data that crossed into, or out of, another residency",
        parameters: &[
            Parameter::required("migration", "label of the migration that crosses"),
            Parameter::required("before", "label of the operator's look at the events before it"),
            Parameter::required("after", "label of the look after it"),
            Parameter::required("residency", "where the peer keeps its data"),
        ],
        decide: crossing_is_told,
    },
    Judge {
        name: "crossings-are-right",
        about: "each migration's record has cross_jurisdiction where the two residencies differ, and only there",
        parameters: &[
            Parameter::required("peer", "the peer's name"),
            Parameter::required("shown", "label of the looks at the records, each after its migration"),
        ],
        decide: crossings_are_right,
    },
    Judge {
        name: "crossing-is-recorded",
        about: "the record of a migration that crosses has cross_jurisdiction with both residencies",
        parameters: &[
            Parameter::required("migration", "label of the migration that crosses"),
            Parameter::required("shown", "labels of looks at its record, the peer's or the operator's"),
            Parameter::required("from", "where the data came from"),
        ],
        decide: crossing_is_recorded,
    },
];

fn residency_declared(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("data_residency in the target's heartbeat");
    let beats: Vec<_> = story
        .exchanges_of(with.text("peer"), Direction::FromTarget)
        .filter(|(_, exchange)| exchange.route() == Some(Route::Heartbeat))
        .collect();
    if beats.is_empty() {
        return expect(Judgement::unproven("the target sent no heartbeat", vec![]));
    }
    let said = |body: &Value| -> Option<String> {
        let places = [&body["data_residency"], &body["metadata"]["data_residency"]];
        let mut places = places.into_iter().filter_map(Value::as_str);
        places.find(|place| !place.trim().is_empty()).map(ToOwned::to_owned)
    };
    let declared =
        beats.iter().find_map(|(entry, exchange)| Some((entry.n, exchange.sent().and_then(said)?)));
    if let Some((n, place)) = declared {
        return expect(Judgement::kept(format!("data_residency is {place:?}"), vec![n]));
    }
    let evidence = beats.iter().map(|(entry, _)| entry.n).collect();
    expect(Judgement::broken(format!("{} heartbeats, none with it", beats.len()), evidence))
}

fn crossing_is_told(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("a new event that speaks of the crossing");
    let Some(migration) = migrated(story, with.text("migration")) else {
        return expect(Judgement::unproven("the migration did not succeed", vec![]));
    };
    let (Some((first, before)), Some((last, after))) =
        (events(story, with.text("before")), events(story, with.text("after")))
    else {
        return expect(Judgement::unproven("the events could not be read", vec![]));
    };
    let evidence = vec![first, migration, last];
    let speaks = |event: &&Value| {
        let text = event.to_string().to_lowercase();
        let words = ["residen", "jurisdiction", "boundary", "cross", &with.text("residency").to_lowercase()];
        words.iter().any(|word| text.contains(word))
    };
    let new: Vec<_> = after.iter().filter(|event| !before.contains(event)).collect();
    match new.iter().copied().find(speaks) {
        Some(event) => {
            let kind = event["kind"].as_str().unwrap_or("an event");
            expect(Judgement::kept(format!("{kind} was told"), evidence))
        }
        None => expect(Judgement::broken(format!("{} new events, none of a crossing", new.len()), evidence)),
    }
}

fn crossing_is_recorded(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("metadata.cross_jurisdiction {from, to} in the migration's record")
    };
    let Some(migration) = migrated(story, with.text("migration")) else {
        return expect(Judgement::unproven("the migration did not succeed", vec![]));
    };
    let shown: Vec<(u64, Value)> =
        with.texts("shown").into_iter().filter_map(|label| record_shown(story, label)).collect();
    if shown.is_empty() {
        return expect(Judgement::unproven("its record could not be read", vec![migration]));
    }
    for (n, record) in &shown {
        let crossing = &record["metadata"]["cross_jurisdiction"];
        let evidence = vec![migration, *n];
        if crossing.is_null() {
            return expect(Judgement::broken("its metadata has no cross_jurisdiction", evidence));
        }
        let from = crossing["from"].as_str().unwrap_or_default();
        if crossing.is_object() && !from.eq_ignore_ascii_case(with.text("from")) {
            return expect(Judgement::broken(format!("cross_jurisdiction is {crossing}"), evidence));
        }
    }
    let evidence = [migration].into_iter().chain(shown.iter().map(|(n, _)| *n)).collect();
    expect(Judgement::kept("cross_jurisdiction is there", evidence))
}

/// By the residencies that both sides said last before each look.
fn crossings_are_right(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("cross_jurisdiction where the residencies differ, and only there")
    };
    let mut evidence = vec![];
    for (n, exchange) in story.exchanges_labelled(with.text("shown")) {
        let (Some(record), Some((theirs, ours))) =
            (exchange.data(), residencies(story, with.text("peer"), n))
        else {
            continue;
        };
        let is_recorded = !record["metadata"]["cross_jurisdiction"].is_null();
        let crosses = !theirs.eq_ignore_ascii_case(&ours);
        if is_recorded != crosses {
            let recorded = if is_recorded { "recorded" } else { "not recorded" };
            return expect(Judgement::broken(format!("from {theirs} to {ours}: {recorded}"), vec![n]));
        }
        evidence.push(n);
    }
    if evidence.is_empty() {
        return expect(Judgement::unproven("no record of a migration was shown", vec![]));
    }
    expect(Judgement::kept(format!("{} records are right", evidence.len()), evidence))
}

/// What the peer, and in its answer the target, said of their residency in the last heartbeat before.
fn residencies(story: &Story, peer: &str, before: u64) -> Option<(String, String)> {
    let said = story.exchanges_of(peer, Direction::ToTarget).take_while(|(entry, _)| entry.n < before);
    let beats = said.filter(|(_, exchange)| exchange.route() == Some(Route::Heartbeat));
    let named = beats.filter_map(|(_, exchange)| {
        let theirs = exchange.sent()?["data_residency"].as_str()?.to_owned();
        Some((theirs, exchange.data()?.get("data_residency")?.as_str()?.to_owned()))
    });
    named.last()
}

/// A migration that a peer sent, or that the target's operator did, where it succeeded.
fn migrated(story: &Story, label: &str) -> Option<u64> {
    let sent = story.exchanges_labelled(label).find(|(_, exchange)| exchange.succeeded()).map(|(n, _)| n);
    let operated =
        story.operation(label).filter(|(_, operation)| operation.failure.is_none()).map(|(n, _)| n);
    sent.or(operated)
}

fn events(story: &Story, label: &str) -> Option<(u64, Vec<Value>)> {
    let (n, operation) = story.operation(label)?;
    Some((n, operation.result.as_ref()?["events"].as_array()?.clone()))
}

fn record_shown(story: &Story, label: &str) -> Option<(u64, Value)> {
    let exchange = story.exchanges_labelled(label).find_map(|(n, exchange)| Some((n, exchange.data()?)));
    exchange.or_else(|| {
        let (n, operation) = story.operation(label)?;
        let result = operation.result.clone()?;
        Some((n, result.get("migration").cloned().unwrap_or(result)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Operation, Recorder, What};
    use serde_json::json;

    fn judged(
        decide: fn(&Story, Arguments<'_>) -> Judgement,
        looks: &[(&str, Value)],
        with: &[(&str, &str)],
    ) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        for (label, result) in looks {
            let operation = Operation {
                verb: "x".into(),
                parameters: json!({}),
                result: Some(result.clone()),
                failure: None,
            };
            recorder.record(None, Some(*label), What::Operation(operation));
        }
        let with = with.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        decide(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_crossing_of_which_no_event_speaks_is_broken() {
        let with = [("migration", "m"), ("before", "b"), ("after", "a"), ("residency", "br-south")];
        let told = |events: Value| {
            let looks = [("b", json!({"events": []})), ("m", json!({})), ("a", json!({ "events": events }))];
            judged(crossing_is_told, &looks, &with)
        };
        assert_eq!(told(json!([{"kind": "migration.cross_residency_boundary"}])), Kept);
        assert_eq!(told(json!([{"kind": "moved", "payload": {"from": "br-south"}}])), Kept);
        assert_eq!(told(json!([{"kind": "migration.completed"}])), Broken);
        assert_eq!(judged(crossing_is_told, &[], &with), Unproven);
    }

    #[test]
    fn a_record_without_the_crossing_or_with_it_the_wrong_way_is_broken() {
        let with = [("migration", "m"), ("shown", "s"), ("from", "br-south")];
        let shown = |crossing: Value| {
            let record = json!({"metadata": {"cross_jurisdiction": crossing}});
            judged(crossing_is_recorded, &[("m", json!({})), ("s", record)], &with)
        };
        assert_eq!(shown(json!({"from": "BR-South", "to": "eu"})), Kept);
        assert_eq!(shown(json!({"from": "eu", "to": "br-south"})), Broken);
        assert_eq!(shown(Value::Null), Broken);
    }
}
