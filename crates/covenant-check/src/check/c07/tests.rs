//! Tests of the checks of commitment 7, on constructed traces.

use super::*;
use covenant_model::clock::Clock;
use covenant_model::transcript::{Direction, Operation, Recorder, What};
use covenant_model::wire::path::Route;
use serde_json::json;
use std::collections::BTreeMap;

fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

fn recorder() -> Recorder {
    Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
}

fn operation(recorder: &Recorder, method: &str, label: &str, parameters: Value, result: Value) {
    let operation = Operation { method: method.into(), parameters, result: Some(result), failure: None };
    recorder.record(None, Some(label), What::Operation(operation));
}

fn look(recorder: &Recorder, label: &str, resources: &Value) {
    operation(recorder, "resource.list", label, json!({"kind": "skill"}), json!({"resources": resources}));
}

/// Records a call. Status 0 means no answer.
fn call(recorder: &Recorder, label: &str, route: &Route, sent: Value, status: u16, answer: &Value) {
    let direction = if label == "flow" { Direction::FromTarget } else { Direction::ToTarget };
    let method = if sent.is_null() { "GET" } else { "POST" };
    let asked = Exchange::made("alice", direction).on(method, &route.to_string()).sending(sent);
    let exchange = if status > 0 { asked.answered_with(status, answer.clone()) } else { asked };
    recorder.record(None, Some(label), What::Exchange(exchange));
}

fn plan(steps: &Value) -> Value {
    json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": "1",
        "plan_summary": {}, "steps": steps})
}

/// Builds a trace of one migration: the records before it, the call and its answer, the records after it.
fn trace(before: &Value, steps: &Value, status: u16, answer: &Value, after: &Value) -> Trace {
    let recorder = recorder();
    look(&recorder, "before", before);
    call(&recorder, "plan", &Route::Migrations, plan(steps), status, answer);
    look(&recorder, "after", after);
    recorder.trace()
}

fn verdict(check: &str, trace: &Trace) -> crate::check::Verdict {
    verdict_with(check, trace, &json!({"plan": "plan", "before": "before", "after": "after"}))
}

fn verdict_with(check: &str, trace: &Trace, with: &Value) -> crate::check::Verdict {
    let with: BTreeMap<String, Value> = serde_json::from_value(with.clone()).expect("arguments");
    let check = CHECKS.iter().find(|other| other.name == check).expect("a check");
    (check.evaluate)(trace, Arguments::new(&with)).verdict
}

fn failing(mut step: Value) -> Value {
    step["conflict_policy"] = json!("fail");
    step
}

fn renaming(mut step: Value) -> Value {
    step["conflict_policy"] = json!("rename_with_suffix");
    step
}

fn step(order: i64, id: &str) -> Value {
    json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "action": "create",
           "conflict_policy": "skip_if_exists", "payload": {"id": id, "ref": {"parent_id": "p"}}})
}

fn row(id: &str) -> Value {
    json!({"kind": "skill", "id": id, "record": {"id": id, "ref": {"parent_id": "p"}}})
}

fn done(applied: u64, log: &Value) -> Value {
    json!({"data": {"migration_id": "m", "status": "completed", "applied_count": applied,
                    "skipped_count": 0, "conflict_log": log}})
}

use crate::check::Verdict::{Broken, Kept, Unproven};

#[test]
fn a_failure_that_leaves_something_is_broken_and_one_that_leaves_nothing_kept() {
    let steps = json!([step(1, "1"), step(2, "2")]);
    let failed = json!({"error": "no"});
    for (status, after, expected) in [
        (422, json!([]), Kept),
        (422, json!([row("1")]), Broken),
        (0, json!([row("1")]), Broken),
        (0, json!([row("1"), row("2")]), Kept),
        (0, json!([]), Kept),
        (201, json!([row("1"), row("2")]), Unproven),
    ] {
        let trace = trace(&json!([]), &steps, status, &failed, &after);
        assert_eq!(verdict("migration-is-atomic", &trace), expected, "{status} {}", short(&after));
    }
}

#[test]
fn a_record_that_was_merely_looked_at_is_none_that_was_left() {
    let steps = json!([step(1, "1"), failing(step(2, "2"))]);
    let noted = |name: &str, at: u64| json!({"kind": "skill", "id": "2", "record": {"id": "2", "name": name, "ref": {}, "seen": at}});
    for (answer, after, expected) in [
        (json!({"error": "no"}), noted("a", 2), Kept),
        (json!({"error": "no"}), row("2"), Broken),
        (json!({"data": {"status": "failed"}}), noted("a", 2), Kept),
        (json!({"data": {"status": "failed"}}), row("2"), Broken),
    ] {
        let status = if answer.get("error").is_some() { 422 } else { 200 };
        let trace = trace(&json!([noted("a", 1)]), &steps, status, &answer, &json!([after]));
        assert_eq!(verdict("migration-is-atomic", &trace), expected, "{answer} {}", short(&after));
    }
}

#[test]
fn an_opened_plan_is_evaluated_by_its_commit() {
    let steps = json!([step(1, "1"), failing(step(2, "2")), step(3, "3")]);
    let opened = json!({"data": {"migration_id": "m", "status": "transferring"}});
    let evaluated = |opened: (u16, &Value), commit: u16, left: &[&str], control: u16| {
        let recorder = recorder();
        look(&recorder, "before", &json!([row("2")]));
        call(&recorder, "plan", &Route::Migrations, plan(&steps), opened.0, opened.1);
        let route = Route::MigrationCommit { id: "m".to_owned() };
        call(&recorder, "commit", &route, json!({}), commit, &json!({"error": "no"}));
        let left: Vec<Value> = left.iter().map(|id| row(id)).collect();
        look(&recorder, "after", &json!(left));
        call(&recorder, "control", &Route::Migrations, plan(&steps), control, &done(1, &json!([])));
        let with = json!({"plan": "plan", "commit": "commit", "before": "before", "after": "after", "control": "control"});
        verdict_with("migration-is-atomic", &recorder.trace(), &with)
    };
    let refused = json!({"error": "no"});
    assert_eq!(evaluated((202, &opened), 422, &["2"], 201), Kept);
    assert_eq!(evaluated((202, &opened), 422, &["1", "2"], 201), Broken);
    assert_eq!(evaluated((202, &opened), 0, &["1", "2"], 201), Broken);
    assert_eq!(evaluated((202, &opened), 422, &["2"], 422), Unproven);
    // The migration was not opened at all: then the answer to the plan counts.
    assert_eq!(evaluated((422, &refused), 404, &["2"], 201), Kept);
    assert_eq!(evaluated((201, &done(2, &json!([]))), 404, &["1", "2", "3"], 201), Unproven);
}

#[test]
fn an_opened_plan_that_is_there_whole_after_a_refused_commit_shows_nothing() {
    let steps = json!([step(1, "1")]);
    let recorder = recorder();
    look(&recorder, "before", &json!([]));
    call(&recorder, "plan", &Route::Migrations, plan(&steps), 202, &json!({"data": {"status": "applying"}}));
    let route = Route::MigrationCommit { id: "m".to_owned() };
    call(&recorder, "commit", &route, json!({}), 404, &json!({"error": "no"}));
    look(&recorder, "after", &json!([row("1")]));
    let with = json!({"plan": "plan", "commit": "commit", "before": "before", "after": "after"});
    assert_eq!(verdict_with("migration-is-atomic", &recorder.trace(), &with), Unproven);
}

#[test]
fn no_success_may_be_claimed_of_a_plan_that_is_to_fail() {
    let steps = json!([step(1, "1"), failing(step(2, "2"))]);
    for (status, answer, after, expected) in [
        (422, json!({"error": "no"}), json!([row("2")]), Kept),
        (200, json!({"data": {"status": "failed"}}), json!([row("2")]), Kept),
        (202, json!({"data": {"status": "applying"}}), json!([row("2")]), Unproven),
        (201, done(1, &json!([])), json!([row("1"), row("2")]), Broken),
    ] {
        let trace = trace(&json!([row("2")]), &steps, status, &answer, &after);
        assert_eq!(verdict("migration-claims-match-records", &trace), expected, "{status} {answer}");
    }
}

#[test]
fn claims_have_to_be_read_back() {
    let steps = json!([step(1, "1"), step(2, "2")]);
    for (applied, after, expected) in [
        (2, json!([row("1"), row("2")]), Kept),
        (2, json!([row("1")]), Broken),
        (1, json!([row("1"), row("2")]), Broken),
        (3, json!([row("1"), row("2")]), Broken),
    ] {
        let trace = trace(&json!([]), &steps, 201, &done(applied, &json!([])), &after);
        assert_eq!(
            verdict("migration-claims-match-records", &trace),
            expected,
            "{applied} {}",
            short(&after)
        );
    }
}

#[test]
fn a_conflict_that_is_hidden_invented_or_mistold_is_broken() {
    let steps = json!([step(1, "1"), step(2, "2")]);
    let entry = |order: i64, id: &str, resolution: &str| json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "resolution": resolution});
    let both = json!([row("1"), row("2")]);
    for (log, expected) in [
        (json!([entry(1, "1", "skipped")]), Kept),
        (json!([]), Broken),
        (json!([entry(1, "1", "skipped"), entry(2, "2", "skipped")]), Broken),
        (json!([entry(1, "1", "skipped"), entry(9, "9", "skipped")]), Broken),
        (json!([entry(1, "other", "skipped")]), Broken),
    ] {
        let trace = trace(&json!([row("1")]), &steps, 201, &done(1, &log), &both);
        assert_eq!(verdict("conflicts-are-reported", &trace), expected, "{log}");
    }
    let silent = trace(&json!([row("1")]), &steps, 201, &json!({"data": {"status": "completed"}}), &both);
    assert_eq!(verdict("conflicts-are-reported", &silent), Unproven);
}

#[test]
fn a_plan_may_be_turned_away_before_it_met_anything() {
    let refused = json!({"error": "no", "conflict_log": []});
    let mut announced = step(2, "2");
    announced["action"] = json!("conflict");
    for (steps, expected) in [
        (json!([failing(step(1, "1"))]), Broken),
        (json!([failing(step(1, "1")), announced]), Kept),
        (json!([failing(step(1, "1")), failing(step(2, "1"))]), Kept),
        (json!([renaming(step(1, "1"))]), Kept),
    ] {
        let there = json!([row("1")]);
        let trace = trace(&there, &steps, 422, &refused, &there);
        assert_eq!(verdict("conflicts-are-reported", &trace), expected, "{steps}");
    }
}

#[test]
fn the_log_of_a_migration_that_is_not_done_is_not_its_last() {
    let steps = json!([step(1, "1")]);
    let pending = json!({"data": {"status": "applying", "conflict_log": []}});
    let trace = trace(&json!([row("1")]), &steps, 202, &pending, &json!([row("1")]));
    assert_eq!(verdict("conflicts-are-reported", &trace), Unproven);
}

#[test]
fn what_a_list_does_not_show_is_not_held_against_a_claim() {
    let mut overwrites = step(1, "1");
    overwrites["conflict_policy"] = json!("overwrite");
    let entry =
        json!({"step_order": 1, "resource_kind": "skill", "resource_id": "1", "resolution": "overwritten"});
    let evaluated = |record: &Value| {
        let listed = json!([{"kind": "skill", "id": "1", "record": record}]);
        let trace = trace(&listed, &json!([overwrites]), 201, &done(1, &json!([entry])), &listed);
        ["migration-claims-match-records", "conflicts-are-reported"].map(|check| verdict(check, &trace))
    };
    assert_eq!(evaluated(&json!({"id": "1", "ref": {"parent_id": "old"}})), [Broken, Broken]);
    assert_eq!(evaluated(&json!({"id": "1"})), [Kept, Kept]);
}

#[test]
fn what_is_shown_later_has_to_tell_the_conflicts_too() {
    let entry =
        json!({"step_order": 1, "resource_kind": "skill", "resource_id": "1", "resolution": "skipped"});
    let seen_report = done(0, &json!([entry]));
    let evaluated = |to_peer: &Value, to_operator: &Value| {
        let recorder = recorder();
        look(&recorder, "before", &json!([row("1")]));
        call(&recorder, "plan", &Route::Migrations, plan(&json!([step(1, "1")])), 201, &seen_report);
        look(&recorder, "after", &json!([row("1")]));
        let route = Route::Migration { id: "m".to_owned() };
        call(&recorder, "shown", &route, Value::Null, 200, to_peer);
        operation(&recorder, "migration.show", "recorded", json!({}), to_operator["data"].clone());
        let with =
            json!({"plan": "plan", "before": "before", "after": "after", "shown": ["shown", "recorded"]});
        verdict_with("conflicts-are-reported", &recorder.trace(), &with)
    };
    let silent = json!({"data": {"status": "completed"}});
    assert_eq!(evaluated(&seen_report, &seen_report), Kept);
    assert_eq!(evaluated(&silent, &seen_report), Kept);
    assert_eq!(evaluated(&seen_report, &done(0, &json!([]))), Broken);
    assert_eq!(evaluated(&done(0, &json!([])), &seen_report), Broken);
    assert_eq!(evaluated(&silent, &silent), Unproven);
}

#[test]
fn a_record_without_a_part_is_unproven_and_one_under_a_made_up_id_broken() {
    let steps = json!([step(1, "1")]);
    let bare = json!({"kind": "skill", "id": "1", "record": {"id": "1"}});
    let lacking = trace(&json!([]), &steps, 201, &done(1, &json!([])), &json!([bare]));
    assert_eq!(verdict("ids-are-preserved", &lacking), Unproven);
    let evaluated = |answer: u16, after: &Value, control: u16| {
        let recorder = recorder();
        look(&recorder, "before", &json!([row("1")]));
        let answered = if answer == 201 { done(1, &json!([])) } else { json!({"error": "no"}) };
        call(
            &recorder,
            "plan",
            &Route::Migrations,
            plan(&json!([renaming(step(1, "1"))])),
            answer,
            &answered,
        );
        look(&recorder, "after", after);
        call(&recorder, "control", &Route::Migrations, plan(&steps), control, &done(1, &json!([])));
        let with = json!({"plan": "plan", "before": "before", "after": "after", "control": "control"});
        verdict_with("ids-are-preserved", &recorder.trace(), &with)
    };
    assert_eq!(evaluated(422, &json!([row("1")]), 201), Kept);
    assert_eq!(evaluated(422, &json!([row("1")]), 422), Unproven);
    assert_eq!(evaluated(201, &json!([row("1")]), 201), Kept);
    assert_eq!(evaluated(201, &json!([row("1"), row("7")]), 201), Broken);
}

#[test]
fn only_what_was_migrated_may_not_flow() {
    let evaluated = |route: &Route, sent: Value| {
        let recorder = recorder();
        call(&recorder, "plan", &Route::Migrations, plan(&json!([step(1, "1")])), 201, &json!({}));
        let record = json!({"kind": "skill", "id": "1"});
        operation(&recorder, "resource.put", "changed", record, json!({}));
        call(&recorder, "flow", route, sent, 200, &json!({}));
        call(&recorder, "probe", &Route::Heartbeat, json!({}), 200, &json!({"data": {}}));
        let with = json!({"peer": "alice", "migration": "plan", "record": "changed", "probe": "probe"});
        verdict_with("no-sync-after-migration", &recorder.trace(), &with)
    };
    let batch = |kind: &str, records: Value| json!({"resource_kind": kind, "records": records});
    let other = plan(&json!([step(1, "2")]));
    assert_eq!(evaluated(&Route::Sync, batch("skill", json!([{"id": "2"}]))), Broken);
    assert_eq!(evaluated(&Route::Sync, batch("skill", json!([]))), Kept);
    assert_eq!(evaluated(&Route::Sync, batch("memory", json!([{"id": "2"}]))), Kept);
    assert_eq!(evaluated(&Route::Migrations, plan(&json!([step(1, "1")]))), Broken);
    assert_eq!(evaluated(&Route::Migrations, other), Kept);
    assert_eq!(evaluated(&Route::Sync, json!({"kind": "skill", "items": [{"id": "1"}]})), Unproven);
}

#[test]
fn nothing_can_follow_a_migration_that_failed_or_reach_a_peer_that_was_cut_off() {
    let evaluated = |migrated: u16, status: &str, probes: &[u16], flows: bool| {
        let recorder = recorder();
        let answer = json!({"data": {"status": status}});
        call(&recorder, "plan", &Route::Migrations, plan(&json!([step(1, "1")])), migrated, &answer);
        operation(&recorder, "resource.put", "changed", json!({"kind": "skill", "id": "1"}), json!({}));
        for probe in probes {
            call(&recorder, "probe", &Route::Heartbeat, json!({}), *probe, &json!({"data": {}}));
        }
        if flows {
            let batch = json!({"resource_kind": "skill", "records": [{"id": "1"}]});
            call(&recorder, "flow", &Route::Sync, batch, 401, &json!({"error": "no"}));
        }
        let with = json!({"peer": "alice", "migration": "plan", "record": "changed", "probe": "probe"});
        verdict_with("no-sync-after-migration", &recorder.trace(), &with)
    };
    assert_eq!(evaluated(201, "completed", &[200, 200], false), Kept);
    assert_eq!(evaluated(422, "failed", &[200], false), Unproven);
    assert_eq!(evaluated(200, "failed", &[200], false), Unproven);
    assert_eq!(evaluated(201, "completed", &[200, 401], false), Unproven);
    assert_eq!(evaluated(201, "completed", &[], false), Unproven);
    assert_eq!(evaluated(201, "completed", &[200, 401], true), Broken);
}

#[test]
fn an_original_that_goes_later_is_gone() {
    let evaluated = |later: &Value| {
        let recorder = recorder();
        look(&recorder, "before", &json!([row("1")]));
        operation(&recorder, "migration.send", "sent", json!({}), json!({}));
        look(&recorder, "after", &json!([row("1")]));
        look(&recorder, "later", later);
        let with = json!({"migration": "sent", "before": "before", "after": ["after", "later"]});
        verdict_with("originals-kept", &recorder.trace(), &with)
    };
    assert_eq!((evaluated(&json!([row("1")])), evaluated(&json!([]))), (Kept, Broken));
}

#[test]
fn an_original_of_another_migration_may_go() {
    let evaluated = |other: &str| {
        let recorder = recorder();
        operation(&recorder, "migration.send", "other", json!({"root_resource_id": other}), json!({}));
        look(&recorder, "before", &json!([row("1"), row("2")]));
        operation(&recorder, "migration.send", "sent", json!({"root_resource_id": "1"}), json!({}));
        look(&recorder, "after", &json!([row("1")]));
        let with = json!({"migration": "sent", "before": "before", "after": "after"});
        verdict_with("originals-kept", &recorder.trace(), &with)
    };
    assert_eq!((evaluated("2"), evaluated("3")), (Kept, Broken));
}

#[test]
fn another_id_or_another_reference_is_broken() {
    let steps = json!([step(1, "1")]);
    let other_reference =
        json!({"kind": "skill", "id": "1", "record": {"id": "1", "ref": {"parent_id": "q"}}});
    for (after, expected) in
        [(json!([row("1")]), Kept), (json!([row("1"), row("7")]), Broken), (json!([other_reference]), Broken)]
    {
        let trace = trace(&json!([]), &steps, 201, &done(1, &json!([])), &after);
        assert_eq!(verdict("ids-are-preserved", &trace), expected, "{}", short(&after));
    }
}
