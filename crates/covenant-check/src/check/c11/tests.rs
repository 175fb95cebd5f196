//! Tests of the checks of commitment 11, on constructed traces.

use super::*;
use crate::check::Verdict::{self, Broken, Kept, Unproven};
use covenant_model::clock::Clock;
use covenant_model::transcript::{Operation, Recorder, What};
use serde_json::json;
use std::collections::BTreeMap;

type Decide = fn(&Trace, Arguments<'_>) -> CheckResult;

fn verdict(evaluate: Decide, first: (&str, &Value), last: (&str, &Value)) -> Verdict {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let recorder = Recorder::in_memory("x", clock);
    for (label, result) in [first, last] {
        let operation = Operation {
            method: "x".into(),
            parameters: json!({}),
            result: Some(result.clone()),
            failure: None,
        };
        recorder.record(None, Some(label), What::Operation(operation));
    }
    let with: BTreeMap<String, Value> =
        [first.0, last.0].iter().map(|name| ((*name).to_owned(), json!([name]))).collect();
    let lists: BTreeMap<String, Value> =
        [first.0, last.0].iter().map(|name| ((*name).to_owned(), json!(name))).collect();
    let with = if first.0 == "revoke" { with } else { lists };
    evaluate(&recorder.trace(), Arguments::new(&with)).verdict
}

fn remain(before: &Value, after: &Value) -> Verdict {
    let list = |rows: &Value| json!({ "entries": rows });
    verdict(rows_remain, ("before", &list(before)), ("after", &list(after)))
}

#[test]
fn a_row_that_is_gone_or_changed_is_broken() {
    for (before, after, expected) in [
        (json!([1, 2]), json!([2, 1, 3]), Kept),
        (json!([1, 2]), json!([2]), Broken),
        (json!([1, 1]), json!([1]), Broken),
        (json!([{"a": 1}]), json!([{"a": 2}]), Broken),
        (json!([{"id": "1", "action": "heartbeat"}]), json!([{"id": "1", "action": "none"}]), Broken),
        (json!([{"id": "1", "action": "heartbeat"}]), json!([{"id": "2", "action": "heartbeat"}]), Broken),
        (
            json!([{"action": "heartbeat", "emitted_at": "1"}]),
            json!([{"action": "heartbeat", "emitted_at": "2"}]),
            Broken,
        ),
        (json!([]), json!([]), Unproven),
    ] {
        assert_eq!(remain(&before, &after), expected, "{before} {after}");
    }
}

#[test]
fn the_list_is_the_one_with_the_default_name() {
    let list = |entries: Value| json!({"columns": ["id", "action"], "entries": entries});
    let evaluated =
        |after| verdict(rows_remain, ("before", &list(json!([{"id": "1"}]))), ("after", &list(after)));
    assert_eq!((evaluated(json!([{"id": "1"}])), evaluated(json!([]))), (Kept, Broken));
}

#[test]
fn what_a_platform_adds_to_an_entry_may_change_and_what_was_in_it_may_not_be_blanked() {
    let entry = |more: Value| json!([{"id": "1", "payload": {"action": "x", "more": more}, "updated_at": 1}]);
    let touched =
        json!([{"id": "1", "payload": {"action": "x", "more": "b"}, "updated_at": 2, "sealed": true}]);
    assert_eq!(remain(&entry(json!("a")), &touched), Kept);
    assert_eq!(remain(&entry(json!("a")), &entry(json!(""))), Unproven);
    assert_eq!(
        remain(&entry(json!("a")), &json!([{"id": "1", "payload": {"action": "x"}, "updated_at": 1}])),
        Unproven
    );
}

/// Returns the verdict on records of which the operator put "own" there and a peer synced "copy".
fn records_remain(before: &Value, after: &Value) -> Verdict {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let recorder = Recorder::in_memory("x", clock);
    let operate = |label: Option<&str>, method: &str, parameters: Value, result: Value| {
        let operation = Operation { method: method.into(), parameters, result: Some(result), failure: None };
        recorder.record(None, label, What::Operation(operation));
    };
    operate(None, "resource.put", json!({"id": "own", "record": {"name": "a"}}), json!({}));
    let batch = json!({"records": [{"id": "copy", "payload": {"name": "b"}}]});
    let exchange = Exchange::to_target("alice").sending(batch);
    recorder.record(None, None, What::Exchange(exchange));
    operate(Some("before"), "resource.list", json!({}), json!({ "resources": before }));
    operate(Some("after"), "resource.list", json!({}), json!({ "resources": after }));
    let with = [("before", "before"), ("after", "after")];
    let with = with.map(|(name, label)| (name.to_owned(), json!(label))).into();
    rows_remain(&recorder.trace(), Arguments::new(&with)).verdict
}

#[test]
fn of_a_record_stays_what_was_brought_and_nothing_of_the_platforms_own_has_to() {
    let row = |id: &str, name: &str, state: &str| json!({"kind": "skill", "id": id, "record": {"id": id, "name": name, "state": state}});
    let (own, copy) = (row("own", "a", "live"), row("copy", "b", "live"));
    assert_eq!(
        records_remain(&json!([own, row("seed", "c", "live")]), &json!([row("own", "a", "orphaned")])),
        Kept
    );
    assert_eq!(records_remain(&json!([own]), &json!([row("own", "x", "live")])), Broken);
    assert_eq!(records_remain(&json!([own, copy]), &json!([copy])), Broken);
    let other_form = |name: &str| json!([{"kind": "skill", "id": "own", "attributes": {"name": name}}]);
    assert_eq!(records_remain(&other_form("a"), &other_form("a")), Kept);
    assert_eq!(records_remain(&other_form("a"), &other_form("")), Unproven);
    assert_eq!(records_remain(&json!([own, copy]), &json!([own])), Unproven);
    assert_eq!(records_remain(&json!([row("seed", "c", "live")]), &json!([])), Unproven);
}

#[test]
fn a_record_that_is_marked_as_deleted_is_gone_and_one_that_is_put_away_may_be() {
    let row = |more: Value| {
        let mut row = json!({"kind": "skill", "id": "own", "record": {"id": "own", "name": "a"}});
        if let (Some(members), Value::Object(more)) = (row.as_object_mut(), more) {
            members.extend(more);
        }
        row
    };
    let plain = row(json!({}));
    for (more, expected) in [
        (json!({"deleted_at": null, "exists": true, "deleted": false}), Kept),
        (json!({"status": "orphaned", "revoked_at": "2026-06-01T00:00:00Z"}), Kept),
        (json!({"deleted_at": "2026-06-01T00:00:00Z"}), Broken),
        (json!({"record": {"id": "own", "name": "a", "status": "Deleted"}}), Broken),
        (json!({"exists": false}), Broken),
        (json!({"tombstone": true}), Broken),
        (json!({"is_deleted": true}), Broken),
        (json!({"archived_at": "2026-06-01T00:00:00Z"}), Unproven),
        (json!({"state": "removed"}), Unproven),
    ] {
        assert_eq!(records_remain(&json!([plain]), &json!([row(more.clone())])), expected, "{more}");
    }
    let marked = row(json!({"status": "deleted"}));
    assert_eq!(records_remain(&json!([marked]), &json!([marked])), Kept, "it was so before");
    let entry = |more: &str| json!([{"id": "1", "action": "heartbeat", "status": more}]);
    assert_eq!(remain(&entry("sealed"), &entry("archived")), Kept, "of the audit nothing is put away");
    assert_eq!(remain(&entry("sealed"), &entry("deleted")), Broken);
}

#[test]
fn an_address_that_stays_is_broken_and_one_that_never_was_proves_nothing() {
    let row = |status: &str| json!({"address": "a", "status": status});
    for (before, after, expected) in [
        (json!(["a"]), json!([]), Kept),
        (json!(["a"]), json!(["a"]), Broken),
        (json!([]), json!([]), Unproven),
        (json!(["a"]), json!([{"address": "a", "mounted": false}]), Kept),
        (json!(["a"]), json!([{"address": "b", "peer_id": "someone else"}]), Kept),
        (json!([row("active")]), json!([row("active")]), Broken),
        (json!([row("active")]), json!([row("Active")]), Broken),
        (json!([row("active")]), json!([{"address": "a"}]), Broken),
        (json!([row("active")]), json!([row("revoked")]), Kept),
        (json!([row("active")]), json!([row("Unmounted")]), Kept),
        (json!([row("active")]), json!([row("going")]), Unproven),
        (json!([row("active")]), json!([row("going"), row("active")]), Broken),
        (json!(["a"]), json!([{"address": "a", "removed_at": "2026-06-01T00:00:00Z"}]), Kept),
        (json!(["a"]), json!([{"address": "a", "removed_at": null}]), Broken),
        (json!([row("suspended")]), json!([]), Unproven),
    ] {
        let (before, after) = (json!({"addresses": before}), json!({"addresses": after}));
        assert_eq!(verdict(overlay_unmounted, ("before", &before), ("after", &after)), expected);
    }
}

#[test]
fn a_peer_that_is_not_shown_as_revoked_is_broken() {
    for (status, expected) in [("revoked", Kept), ("active", Broken)] {
        let shown = json!({"peer": {"status": status}});
        let evaluated = verdict(operator_can_revoke, ("revoke", &json!({})), ("shown", &shown));
        assert_eq!(evaluated, expected, "{status}");
    }
    let nothing = verdict(operator_can_revoke, ("revoke", &json!({})), ("shown", &json!({})));
    assert_eq!(nothing, Unproven);
}

#[test]
fn a_peer_that_is_shown_as_revoked_and_served_is_broken() {
    let verdict = |status: &str, late: u16| {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let shown = Operation {
            method: "peer.show".into(),
            parameters: json!({}),
            result: Some(json!({"peer": {"status": status}})),
            failure: None,
        };
        recorder.record(None, Some("shown"), What::Operation(shown));
        for (label, status) in [("valid", 200), ("late", late), ("probe", 200)] {
            let exchange = Exchange::to_target("alice").answered(status);
            recorder.record(None, Some(label), What::Exchange(exchange));
        }
        let with = json!({"call": ["late"], "shown": ["shown"], "control": "valid", "probe": "probe"});
        let with = serde_json::from_value(with).expect("arguments");
        revoked_are_refused(&recorder.trace(), Arguments::new(&with)).verdict
    };
    assert_eq!(verdict("revoked", 401), Kept);
    assert_eq!(verdict("revoked", 200), Broken);
    assert_eq!(verdict("active", 200), Unproven);
}

#[test]
fn a_deletion_that_a_revocation_asks_for_is_broken() {
    let verdict = |operations: &[&str]| {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let operate = |label: &str| {
            let result = Some(json!({}));
            let operation = Operation { method: "x".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        };
        for (place, operation) in operations.iter().enumerate() {
            let exchange = Exchange::from_target("alice")
                .on("POST", "migrations")
                .sending(json!({ "operation": operation }))
                .answered(201);
            recorder.record(None, None, What::Exchange(exchange));
            if place == 0 {
                operate("sent");
            }
        }
        operate("revoked");
        let with = json!({"peer": "alice", "migration": "sent", "revoke": "revoked"});
        let with = serde_json::from_value(with).expect("arguments");
        nothing_is_taken_back(&recorder.trace(), Arguments::new(&with)).verdict
    };
    assert_eq!(verdict(&["duplicate"]), Kept);
    assert_eq!(verdict(&["duplicate", "delete"]), Broken);
    assert_eq!(verdict(&[]), Unproven);
}

#[test]
fn the_overlay_of_a_peer_that_is_not_revoked_says_nothing() {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let recorder = Recorder::in_memory("x", clock);
    let mounted = json!({"addresses": ["a"]});
    let looks =
        [("before", &mounted), ("shown", &json!({"peer": {"status": "active"}})), ("after", &mounted)];
    for (label, result) in looks {
        let result = Some(result.clone());
        let operation = Operation { method: "x".into(), parameters: json!({}), result, failure: None };
        recorder.record(None, Some(label), What::Operation(operation));
    }
    let with = json!({"before": "before", "after": "after", "shown": "shown"});
    let with = serde_json::from_value(with).expect("arguments");
    assert_eq!(overlay_unmounted(&recorder.trace(), Arguments::new(&with)).verdict, Unproven);
}
