//! Commitment 8: data residency.

mod places;

use serde_json::Value;

use super::judge::Parameter;
use super::{Arguments, Judge, Judgement, Verdict};
use crate::transcript::{Direction, Story};
use crate::wire::path::Route;
use places::places_said;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "residency-declared",
        about: "the target says in its heartbeats, or in its answers to them, where it keeps data",
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
            Parameter::required("peer", "the peer's name"),
            Parameter::required(
                "places",
                "where the peer keeps its data: its residency and its jurisdiction",
            ),
        ],
        decide: crossing_is_told,
    },
    Judge {
        name: "crossings-are-right",
        about: "each migration's record has cross_jurisdiction where the two places differ, and only there",
        parameters: &[
            Parameter::required("peer", "the peer's name"),
            Parameter::required("shown", "label of the looks at the records, each after its migration"),
        ],
        decide: crossings_are_right,
    },
    Judge {
        name: "crossing-is-recorded",
        about: "the record of a migration that crosses has cross_jurisdiction, the right way round",
        parameters: &[
            Parameter::required("migration", "label of the migration that crosses"),
            Parameter::required("shown", "labels of looks at its record, the peer's or the operator's"),
            Parameter::required("peer", "the peer's name"),
            Parameter::required(
                "places",
                "where the peer keeps its data: its residency and its jurisdiction",
            ),
        ],
        decide: crossing_is_recorded,
    },
];

fn residency_declared(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("data_residency in the target's heartbeat, or in its answer to one")
    };
    let exchanges = story.exchanges().filter(|(_, exchange)| exchange.peer == with.text("peer"));
    let told: Vec<_> = exchanges
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)))
        .filter_map(|(entry, exchange)| match exchange.direction {
            Direction::FromTarget => Some((entry.n, exchange.sent()?.clone())),
            Direction::ToTarget => Some((entry.n, exchange.data()?)),
        })
        .collect();
    if let Some((n, place)) = told.iter().find_map(|(n, said)| Some((*n, residency(said)?))) {
        return expect(Judgement::kept(format!("data_residency is {place:?}"), vec![n]));
    }
    let mut calls = story.exchanges_of(with.text("peer"), Direction::FromTarget);
    if !calls.any(|(_, exchange)| exchange.route() == Some(Route::Heartbeat)) {
        return expect(Judgement::unproven("the target sent no heartbeat", vec![]));
    }
    let actual = format!("{} heartbeats and answers, none with it", told.len());
    expect(Judgement::broken(actual, told.iter().map(|(n, _)| *n).collect()))
}

/// The residency that a body declares, unless it is blank.
fn residency(body: &Value) -> Option<&str> {
    let places = [&body["data_residency"], &body["metadata"]["data_residency"]];
    places.into_iter().filter_map(Value::as_str).find(|place| !place.trim().is_empty())
}

fn crossing_is_told(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("a new event that speaks of the crossing");
    let migration = match crossed(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let (Some((first, before)), Some((last, after))) =
        (events(story, with.text("before")), events(story, with.text("after")))
    else {
        return expect(Judgement::unproven("the events could not be read", vec![]));
    };
    let evidence = vec![first, migration.n, last];
    let places = with.texts("places");
    let new: Vec<_> = after.iter().filter(|event| !before.contains(event)).collect();
    if let Some(event) = new.iter().copied().find(|event| tells_of_a_crossing(event, &places)) {
        let kind = event["kind"].as_str().unwrap_or("an event");
        return expect(Judgement::kept(format!("{kind} was told"), evidence));
    }
    expect(Judgement::broken(format!("{} new events, none of a crossing", new.len()), evidence))
}

/// Whether a text in it, or a member that says something, is about a crossing or names one of the places.
fn tells_of_a_crossing(said: &Value, places: &[&str]) -> bool {
    let is_about = |text: &str| {
        let text = text.to_lowercase();
        ["residen", "jurisdiction", "boundary", "cross"].iter().any(|word| text.contains(word))
    };
    let is_place = |word: &str| places.iter().any(|place| place.eq_ignore_ascii_case(word));
    match said {
        Value::String(text) => {
            is_about(text) || is_place(text) || text.split(|c: char| !c.is_alphanumeric()).any(is_place)
        }
        Value::Array(items) => items.iter().any(|item| tells_of_a_crossing(item, places)),
        Value::Object(members) => members.iter().any(|(name, member)| {
            (is_about(name) && says_something(member)) || tells_of_a_crossing(member, places)
        }),
        _ => false,
    }
}

/// Whether a member is there and says more than that there is nothing.
fn says_something(member: &Value) -> bool {
    match member {
        Value::Null => false,
        Value::Bool(said) => *said,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(members) => members.values().any(says_something),
    }
}

fn crossing_is_recorded(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("metadata.cross_jurisdiction {from, to} in the migration's record")
    };
    let migration = match crossed(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let shown: Vec<(u64, Value)> =
        with.texts("shown").into_iter().filter_map(|label| record_shown(story, label)).collect();
    if shown.is_empty() {
        return expect(Judgement::unproven("its record could not be read", vec![migration.n]));
    }
    let judged = shown.iter().map(|(n, record)| {
        let evidence = vec![migration.n, *n];
        migration.judge_record(&record["metadata"]["cross_jurisdiction"], &with.texts("places"), evidence)
    });
    let judged: Vec<Judgement> = judged.collect();
    let first = |verdict| judged.iter().find(|judgement| judgement.verdict == verdict);
    if let Some(worst) = first(Verdict::Broken).or_else(|| first(Verdict::Unproven)) {
        return expect(worst.clone());
    }
    let evidence = [migration.n].into_iter().chain(shown.iter().map(|(n, _)| *n)).collect();
    expect(Judgement::kept("cross_jurisdiction is there", evidence))
}

/// By what both sides said last of themselves before each look. What crosses by residency and not by
/// jurisdiction, or the other way about, may be recorded or not.
fn crossings_are_right(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("cross_jurisdiction where the places differ, and only there")
    };
    let mut evidence = vec![];
    for (n, exchange) in story.exchanges_labelled(with.text("shown")) {
        let (Some(record), Some((theirs, ours))) =
            (exchange.data(), places_said(story, with.text("peer"), n))
        else {
            continue;
        };
        let is_recorded = says_something(&record["metadata"]["cross_jurisdiction"]);
        if theirs.differs_from(&ours).is_some_and(|crosses| crosses != is_recorded) {
            let recorded = if is_recorded { "recorded" } else { "not recorded" };
            let actual = format!("from {} to {}: {recorded}", theirs.residency, ours.residency);
            return expect(Judgement::broken(actual, vec![n]));
        }
        evidence.push(n);
    }
    if evidence.is_empty() {
        return expect(Judgement::unproven("no record of a migration was shown", vec![]));
    }
    expect(Judgement::kept(format!("{} records are right", evidence.len()), evidence))
}

/// A migration that went across a boundary.
struct Crossing {
    n: u64,
    /// The end of `cross_jurisdiction` at which the peer is, and that at which the target is.
    ends: (&'static str, &'static str),
}

/// The migration, where it succeeded and the target is not where the peer is.
fn crossed(story: &Story, with: Arguments<'_>) -> Result<Crossing, Judgement> {
    let label = with.text("migration");
    let sent = story.exchanges_labelled(label).find(|(_, exchange)| exchange.succeeded());
    let operated = story.operation(label).filter(|(_, operation)| operation.failure.is_none());
    let crossing = match (sent, operated) {
        (Some((n, _)), _) => Crossing { n, ends: ("from", "to") },
        (None, Some((n, _))) => Crossing { n, ends: ("to", "from") },
        (None, None) => return Err(Judgement::unproven("the migration did not succeed", vec![])),
    };
    let ours = places_said(story, with.text("peer"), crossing.n).map(|(_, ours)| ours);
    let is_ours = |place: &&str| {
        ours.as_ref().is_some_and(|ours| ours.names().any(|name| name.eq_ignore_ascii_case(place)))
    };
    match with.texts("places").iter().find(|place| is_ours(place)) {
        Some(place) => Err(Judgement::unproven(
            format!("the target is in {place} too: nothing crosses"),
            vec![crossing.n],
        )),
        None => Ok(crossing),
    }
}

impl Crossing {
    fn judge_record(&self, recorded: &Value, places: &[&str], evidence: Vec<u64>) -> Judgement {
        let (theirs, ours) = self.ends;
        let is_theirs = |end: &str| {
            let named = recorded[end].as_str().unwrap_or_default();
            places.iter().any(|place| place.eq_ignore_ascii_case(named))
        };
        match recorded {
            Value::Null => Judgement::broken("its metadata has no cross_jurisdiction", evidence),
            _ if !says_something(recorded) => {
                Judgement::broken(format!("it says that there was no crossing: {recorded}"), evidence)
            }
            Value::Object(_) if is_theirs(theirs) => Judgement::kept("the right way round", evidence),
            Value::Object(_) if is_theirs(ours) => {
                Judgement::broken(format!("the wrong way round: {recorded}"), evidence)
            }
            Value::Object(_) => Judgement::unproven(format!("names other places: {recorded}"), evidence),
            _ => Judgement::kept("it says that there was a crossing", evidence),
        }
    }
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
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Exchange, Message, Operation, Recorder, What};
    use serde_json::json;

    type Decide = fn(&Story, Arguments<'_>) -> Judgement;

    fn recorder() -> Recorder {
        Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
    }

    fn operation(recorder: &Recorder, label: &str, result: Value) {
        let verb = "x".into();
        let operation = Operation { verb, parameters: json!({}), result: Some(result), failure: None };
        recorder.record(None, Some(label), What::Operation(operation));
    }

    fn exchange(recorder: &Recorder, label: &str, direction: Direction, sent: &Value, data: &Value) {
        let exchange = Exchange {
            peer: "alice".into(),
            direction,
            request: Message {
                method: Some("POST".into()),
                path: Some("/api/v1/system/federation_api/heartbeat".into()),
                body: Body::Json(sent.clone()),
                ..Message::default()
            },
            response: Some(Message {
                status: Some(200),
                body: Body::Json(json!({ "data": data })),
                ..Message::default()
            }),
            failure: None,
            tls: None,
            protocol: None,
            injected: vec![],
        };
        recorder.record(None, Some(label), What::Exchange(exchange));
    }

    fn is_in(residency: &str, jurisdiction: &str) -> Value {
        json!({"data_residency": residency, "metadata": {"jurisdiction": jurisdiction}})
    }

    fn verdict(recorder: &Recorder, decide: Decide) -> Verdict {
        let with = json!({
            "peer": "alice", "migration": "m", "before": "b", "after": "a", "shown": "s",
            "places": ["br-south", "BR"],
        });
        let with = serde_json::from_value(with).expect("arguments");
        decide(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_heartbeat_without_a_place_is_broken() {
        for (said, expected) in [
            (json!({"data_residency": "eu"}), Kept),
            (json!({"metadata": {"data_residency": "eu"}}), Kept),
            (json!({"data_residency": "  "}), Broken),
            (json!({}), Broken),
        ] {
            let recorder = recorder();
            exchange(&recorder, "beat", Direction::FromTarget, &said, &json!({}));
            assert_eq!(verdict(&recorder, residency_declared), expected, "{said}");
        }
        assert_eq!(verdict(&recorder(), residency_declared), Unproven);
        // In an answer alone it is told as well.
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::FromTarget, &json!({}), &json!({}));
        exchange(&recorder, "beat", Direction::ToTarget, &json!({}), &json!({"data_residency": "eu"}));
        assert_eq!(verdict(&recorder, residency_declared), Kept);
    }

    #[test]
    fn a_crossing_of_which_no_event_speaks_is_broken() {
        let told = |ours: &Value, events: Value| {
            let recorder = recorder();
            exchange(&recorder, "beat", Direction::ToTarget, &is_in("br-south", "BR"), ours);
            operation(&recorder, "b", json!({"events": []}));
            operation(&recorder, "m", json!({}));
            operation(&recorder, "a", json!({ "events": events }));
            verdict(&recorder, crossing_is_told)
        };
        let eu = is_in("eu", "DE");
        assert_eq!(told(&eu, json!([{"kind": "migration.cross_residency_boundary"}])), Kept);
        assert_eq!(told(&eu, json!([{"kind": "moved", "payload": {"from": "br-south"}}])), Kept);
        assert_eq!(told(&eu, json!([{"kind": "moved", "payload": {"text": "it went to BR today"}}])), Kept);
        assert_eq!(told(&eu, json!([{"kind": "migration.completed"}])), Broken);
        let none = json!({"cross_jurisdiction": null, "via": "a bridge"});
        assert_eq!(told(&eu, json!([{"kind": "migration.completed", "payload": none}])), Broken);
        assert_eq!(told(&is_in("br-south", "BR"), json!([])), Unproven);
        assert_eq!(verdict(&recorder(), crossing_is_told), Unproven);
    }

    #[test]
    fn a_record_without_the_crossing_or_with_it_the_wrong_way_is_broken() {
        let shown = |crossing: &Value, is_inbound: bool| {
            let recorder = recorder();
            if is_inbound {
                exchange(&recorder, "m", Direction::ToTarget, &json!({}), &json!({}));
            } else {
                operation(&recorder, "m", json!({}));
            }
            operation(&recorder, "s", json!({"metadata": {"cross_jurisdiction": crossing}}));
            verdict(&recorder, crossing_is_recorded)
        };
        for (from, to, inbound, outbound) in [
            ("BR-South", "eu", Kept, Broken),
            ("BR", "DE", Kept, Broken),
            ("eu", "br-south", Broken, Kept),
            ("eu", "Brasil", Unproven, Unproven),
        ] {
            let crossing = json!({"from": from, "to": to});
            assert_eq!((shown(&crossing, true), shown(&crossing, false)), (inbound, outbound), "{crossing}");
        }
        assert_eq!(shown(&json!(true), true), Kept);
        for none in [json!(false), json!(""), json!([]), json!({})] {
            assert_eq!(shown(&none, true), Broken, "{none}");
        }
        assert_eq!(shown(&Value::Null, true), Broken);
    }

    #[test]
    fn a_record_that_says_otherwise_than_both_places_is_broken() {
        let right = |theirs: &Value, ours: &Value, is_recorded: bool| {
            let recorder = recorder();
            exchange(&recorder, "beat", Direction::ToTarget, theirs, ours);
            let crossing = is_recorded.then(|| json!({"from": "x", "to": "y"}));
            let record = json!({"metadata": {"cross_jurisdiction": crossing}});
            exchange(&recorder, "s", Direction::ToTarget, &json!({}), &record);
            verdict(&recorder, crossings_are_right)
        };
        let (eu, br) = (is_in("eu", "DE"), is_in("br-south", "BR"));
        assert_eq!((right(&br, &eu, true), right(&br, &eu, false)), (Kept, Broken));
        assert_eq!((right(&eu, &eu, true), right(&is_in("EU", "de"), &eu, false)), (Broken, Kept));
        // By residency it crosses, by jurisdiction it does not.
        let ch = is_in("ch-east", "DE");
        assert_eq!((right(&ch, &eu, true), right(&ch, &eu, false)), (Kept, Kept));
        assert_eq!(verdict(&recorder(), crossings_are_right), Unproven);
    }
}
