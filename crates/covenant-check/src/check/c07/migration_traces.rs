//! Traces of migrations, for the tests.

use serde_json::{Value, json};

use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::{Direction, Exchange};
use covenant_model::wire::path::Route;

/// Returns the arguments `plan`, `before` and `after`, and these more, each with its own name as its label.
pub(super) fn with_labels(more: &[&str]) -> Value {
    ["plan", "before", "after"].iter().chain(more).map(|name| ((*name).to_owned(), json!(name))).collect()
}

/// Returns the beginning of a value, for messages.
pub(super) fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// Returns a call between alice and the target. Status 0 means no answer.
pub(super) fn call(
    direction: Direction,
    route: &Route,
    sent: Value,
    status: u16,
    answer: &Value,
) -> Exchange {
    let method = if sent.is_null() { "GET" } else { "POST" };
    let call = Exchange::made("alice", direction).on(method, &route.to_string()).sending(sent);
    if status > 0 { call.answered_with(status, answer.clone()) } else { call }
}

/// Adds a snapshot of the records.
pub(super) fn listed(builder: TraceBuilder, label: &str, resources: &Value) -> TraceBuilder {
    builder.operation_with(
        label,
        "resource.list",
        json!({"kind": "skill"}),
        json!({ "resources": resources }),
    )
}

/// Adds a plan that alice sends.
pub(super) fn transfer(
    builder: TraceBuilder,
    label: &str,
    plan: Value,
    status: u16,
    answer: &Value,
) -> TraceBuilder {
    builder.call(label, call(Direction::ToTarget, &Route::Migrations, plan, status, answer))
}

/// Adds a commit that is refused with this status.
pub(super) fn commit(builder: TraceBuilder, label: &str, status: u16) -> TraceBuilder {
    let route = Route::MigrationCommit { id: "m".to_owned() };
    builder.call(label, call(Direction::ToTarget, &route, json!({}), status, &json!({"error": "no"})))
}

/// Builds a trace of one migration: the records before it, the plan and its answer, the records after it.
pub(super) fn migrated(
    before: &Value,
    steps: &Value,
    status: u16,
    answer: &Value,
    after: &Value,
) -> TraceBuilder {
    let builder = listed(TraceBuilder::new(), "before", before);
    listed(transfer(builder, "plan", plan(steps), status, answer), "after", after)
}

/// Returns a plan with these steps.
pub(super) fn plan(steps: &Value) -> Value {
    json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": "1",
        "plan_summary": {}, "steps": steps})
}

/// Returns a step that creates a record with a reference.
pub(super) fn step(order: i64, id: &str) -> Value {
    json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "action": "create",
           "conflict_policy": "skip_if_exists", "payload": {"id": id, "ref": {"parent_id": "p"}}})
}

/// Returns this step with the policy to fail on a conflict.
pub(super) fn failing(step: Value) -> Value {
    with_policy(step, "fail")
}

/// Returns this step with the policy to rename on a conflict.
pub(super) fn renaming(step: Value) -> Value {
    with_policy(step, "rename_with_suffix")
}

/// Returns this step with this conflict policy.
pub(super) fn with_policy(mut step: Value, policy: &str) -> Value {
    step["conflict_policy"] = json!(policy);
    step
}

/// Returns this step with this action.
pub(super) fn with_action(mut step: Value, action: &str) -> Value {
    step["action"] = json!(action);
    step
}

/// Returns a row of the list of records: the record of [`step`].
pub(super) fn row(id: &str) -> Value {
    json!({"kind": "skill", "id": id, "record": {"id": id, "ref": {"parent_id": "p"}}})
}

/// Returns an answer that claims success.
pub(super) fn done(applied: u64, log: &Value) -> Value {
    json!({"data": {"migration_id": "m", "status": "completed", "applied_count": applied,
                    "skipped_count": 0, "conflict_log": log}})
}

/// Returns an entry of a conflict log.
pub(super) fn conflict(order: i64, id: &str, resolution: &str) -> Value {
    json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "resolution": resolution})
}
