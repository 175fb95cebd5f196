//! Tests of the checks of commitment 8, on constructed traces.

use super::*;
use crate::check::Verdict::{Broken, Kept, Unproven};
use covenant_model::clock::Clock;
use covenant_model::transcript::{Exchange, Operation, Recorder, What};
use serde_json::json;

type Decide = fn(&Trace, Arguments<'_>) -> CheckResult;

fn recorder() -> Recorder {
    Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
}

fn operation(recorder: &Recorder, label: &str, result: Value) {
    let method = "x".into();
    let operation = Operation { method, parameters: json!({}), result: Some(result), failure: None };
    recorder.record(None, Some(label), What::Operation(operation));
}

fn exchange(recorder: &Recorder, label: &str, direction: Direction, sent: &Value, data: &Value) {
    exchange_of("alice", recorder, label, direction, sent, data);
}

fn exchange_of(
    peer: &str,
    recorder: &Recorder,
    label: &str,
    direction: Direction,
    sent: &Value,
    data: &Value,
) {
    let exchange = Exchange::made(peer, direction)
        .on("POST", "heartbeat")
        .sending(sent.clone())
        .answered_with(200, json!({ "data": data }));
    recorder.record(None, Some(label), What::Exchange(exchange));
}

fn is_in(residency: &str, jurisdiction: &str) -> Value {
    json!({"data_residency": residency, "metadata": {"jurisdiction": jurisdiction}})
}

fn verdict(recorder: &Recorder, evaluate: Decide) -> Verdict {
    let with = json!({
        "peer": "alice", "migration": "m", "before": "b", "after": "a", "shown": "s",
        "places": ["br-south", "BR"],
    });
    let with = serde_json::from_value(with).expect("arguments");
    evaluate(&recorder.trace(), Arguments::new(&with)).verdict
}

#[test]
fn a_heartbeat_without_a_place_is_broken() {
    for (said, expected) in [
        (json!({"data_residency": "eu"}), Kept),
        (json!({"metadata": {"data_residency": "eu"}}), Kept),
        (json!({"data_residency": "  "}), Broken),
        (json!({"data_residency": {"region": "eu"}}), Unproven),
        (json!({"metadata": {"residency": "eu"}}), Unproven),
        (json!({}), Broken),
    ] {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::FromTarget, &said, &json!({}));
        assert_eq!(verdict(&recorder, residency_declared), expected, "{said}");
    }
    assert_eq!(verdict(&recorder(), residency_declared), Unproven);
    // A residency that is in an answer alone counts as well.
    let recorder = recorder();
    exchange(&recorder, "beat", Direction::FromTarget, &json!({}), &json!({}));
    exchange(&recorder, "beat", Direction::ToTarget, &json!({}), &json!({"data_residency": "eu"}));
    assert_eq!(verdict(&recorder, residency_declared), Kept);
}

#[test]
fn a_crossing_of_which_no_event_speaks_is_broken() {
    let reported = |ours: &Value, events: Value| {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::ToTarget, &is_in("br-south", "BR"), ours);
        operation(&recorder, "b", json!({"events": []}));
        operation(&recorder, "m", json!({}));
        operation(&recorder, "a", json!({ "events": events }));
        verdict(&recorder, crossing_is_told)
    };
    let eu = is_in("eu", "DE");
    assert_eq!(reported(&eu, json!([{"kind": "migration.cross_residency_boundary"}])), Kept);
    assert_eq!(reported(&eu, json!([{"kind": "moved", "payload": {"from": "br-south"}}])), Kept);
    assert_eq!(reported(&eu, json!([{"kind": "moved", "payload": {"text": "it went to BR today"}}])), Kept);
    assert_eq!(reported(&eu, json!([{"kind": "migration.completed"}])), Broken);
    let none = json!({"cross_jurisdiction": null, "via": "a bridge"});
    assert_eq!(reported(&eu, json!([{"kind": "migration.completed", "payload": none}])), Broken);
    assert_eq!(reported(&is_in("br-south", "BR"), json!([])), Unproven);
    assert_eq!(reported(&json!({}), json!([])), Unproven);
    assert_eq!(verdict(&recorder(), crossing_is_told), Unproven);
}

#[test]
fn what_is_reported_of_any_migration_is_no_word_about_a_crossing() {
    let reported = |default: &Value, events: &Value, control_is_in: &Value| {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::ToTarget, &is_in("br-south", "BR"), &is_in("eu", "DE"));
        exchange_of("bob", &recorder, "beat", Direction::ToTarget, control_is_in, &is_in("eu", "DE"));
        operation(&recorder, "u", json!({"events": []}));
        operation(&recorder, "b", json!({"events": [default]}));
        operation(&recorder, "m", json!({"migration_id": "m-1"}));
        operation(&recorder, "a", json!({ "events": [default, events] }));
        let with = json!({
            "peer": "alice", "migration": "m", "before": "b", "after": "a", "default": "u", "near": "bob",
            "places": ["br-south", "BR"],
        });
        let with = serde_json::from_value(with).expect("arguments");
        crossing_is_told(&recorder.trace(), Arguments::new(&with)).verdict
    };
    let done = |peer: &str, more: &Value| json!({"kind": "migration.completed", "peer": {"data_residency": peer}, "cross_jurisdiction": more});
    let near = is_in("eu", "DE");
    let default = done("eu", &Value::Null);
    assert_eq!(reported(&default, &done("br-south", &Value::Null), &near), Broken);
    assert_eq!(reported(&default, &done("br-south", &json!(true)), &near), Kept);
    assert_eq!(reported(&default, &json!({"kind": "moved", "to": "br-south"}), &near), Kept);
    let both = json!({"kind": "migration.completed", "peer": {"data_residency": "br-south"}, "own": "eu"});
    assert_eq!(reported(&default, &both, &near), Kept);
    // An event that is raised about this migration only, in words of the target's own.
    assert_eq!(reported(&default, &json!({"kind": "geo.moved", "migration": "m-1"}), &near), Unproven);
    assert_eq!(
        reported(&default, &json!({"kind": "migration.completed", "migration": "m-1"}), &near),
        Broken
    );
    assert_eq!(reported(&default, &json!({"kind": "geo.moved", "migration": "m-2"}), &near), Broken);
    // A control at another place does not show the default marks.
    assert_eq!(reported(&default, &done("br-south", &Value::Null), &is_in("us", "US")), Kept);
}

#[test]
fn what_the_target_says_of_its_own_accord_counts_as_what_it_answers() {
    let recorder = recorder();
    exchange(&recorder, "beat", Direction::FromTarget, &is_in("br-south", "BR"), &json!({}));
    exchange(&recorder, "beat", Direction::ToTarget, &is_in("br-south", "BR"), &json!({}));
    operation(&recorder, "b", json!({"events": []}));
    operation(&recorder, "m", json!({}));
    operation(&recorder, "a", json!({"events": []}));
    assert_eq!(verdict(&recorder, crossing_is_told), Unproven);
}

#[test]
fn a_record_without_the_crossing_or_with_it_the_wrong_way_is_broken() {
    let shown = |crossing: &Value, is_inbound: bool| {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::ToTarget, &is_in("br-south", "BR"), &is_in("eu", "DE"));
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
        ("br-south", "br-south", Broken, Broken),
        ("BR", "br-south", Broken, Broken),
        ("DE", "eu", Broken, Broken),
    ] {
        let crossing = json!({"from": from, "to": to});
        assert_eq!((shown(&crossing, true), shown(&crossing, false)), (inbound, outbound), "{crossing}");
    }
    assert_eq!(shown(&json!(true), true), Kept);
    let denied = json!({"crossed": false, "from": "br-south", "to": "eu"});
    for none in [json!(false), json!(""), json!("none"), json!([]), json!({}), denied] {
        assert_eq!(shown(&none, true), Broken, "{none}");
    }
    assert_eq!(shown(&Value::Null, true), Broken);
    let with_more = json!({"from": "br-south", "to": "eu", "same_jurisdiction": false});
    assert_eq!(shown(&with_more, true), Kept);
}

#[test]
fn a_record_that_says_otherwise_than_both_places_is_broken() {
    let right_with = |theirs: &Value, ours: &Value, metadata: &Value| {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::ToTarget, theirs, ours);
        exchange(&recorder, "s", Direction::ToTarget, &json!({}), &json!({ "metadata": metadata }));
        verdict(&recorder, crossings_are_right)
    };
    let right = |theirs: &Value, ours: &Value, is_recorded: bool| {
        let crossing = is_recorded.then(|| json!({"from": "x", "to": "y"}));
        right_with(theirs, ours, &json!({ "cross_jurisdiction": crossing }))
    };
    let (eu, br) = (is_in("eu", "DE"), is_in("br-south", "BR"));
    assert_eq!((right(&br, &eu, true), right(&br, &eu, false)), (Kept, Broken));
    assert_eq!((right(&eu, &eu, true), right(&is_in("EU", "de"), &eu, false)), (Broken, Kept));
    // By residency it crosses, by jurisdiction it does not.
    let ch = is_in("ch-east", "DE");
    assert_eq!((right(&ch, &eu, true), right(&ch, &eu, false)), (Kept, Kept));
    let between = |from: &str, to: &str| json!({"cross_jurisdiction": {"from": from, "to": to}});
    assert_eq!(right_with(&br, &eu, &between("br-south", "eu")), Kept);
    assert_eq!(right_with(&br, &eu, &between("eu", "br-south")), Broken);
    assert_eq!(right_with(&br, &eu, &between("br-south", "br-south")), Broken);
    // Two identical ends say that nothing crossed; a record without metadata shows nothing.
    assert_eq!(right_with(&eu, &eu, &between("eu", "EU")), Kept);
    assert_eq!(right_with(&br, &eu, &Value::Null), Unproven);
    assert_eq!(verdict(&recorder(), crossings_are_right), Unproven);
}

#[test]
fn where_the_target_is_after_a_move_that_it_has_not_reported_of_is_not_known() {
    let shown = |reported_again: &Value| {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::ToTarget, &is_in("ch-east", "CH"), &is_in("eu", "FR"));
        let moved = Operation {
            method: "residency.set".into(),
            parameters: json!({"residency": "ch-east"}),
            result: Some(json!({})),
            failure: None,
        };
        recorder.record(None, None, What::Operation(moved));
        exchange(&recorder, "beat", Direction::ToTarget, &is_in("ch-east", "CH"), reported_again);
        exchange(&recorder, "s", Direction::ToTarget, &json!({}), &json!({"metadata": {}}));
        verdict(&recorder, crossings_are_right)
    };
    assert_eq!(shown(&json!({})), Unproven);
    assert_eq!(shown(&json!({"metadata": {"jurisdiction": "FR"}})), Unproven);
    assert_eq!(shown(&is_in("ch-east", "CH")), Kept);
    assert_eq!(shown(&is_in("br-south", "BR")), Broken);
}

#[test]
fn what_the_target_sent_crosses_the_other_way() {
    let sent = |from: &str, to: &str| {
        let recorder = recorder();
        exchange(&recorder, "beat", Direction::ToTarget, &is_in("br-south", "BR"), &is_in("eu", "DE"));
        let record = json!({"metadata": {"cross_jurisdiction": {"from": from, "to": to}}});
        operation(&recorder, "s", json!({ "migration": record }));
        verdict(&recorder, crossings_are_right)
    };
    assert_eq!(sent("eu", "br-south"), Kept);
    assert_eq!(sent("br-south", "eu"), Broken);
}
