//! Validation of a plan: the whole plan is evaluated before any step is applied.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::capabilities;
use crate::peering;
use crate::store::StoreError;
use crate::store::rows::{Capability, Grant, Migration, Peer};
use crate::transaction::Transaction;
use covenant_model::wire::migration::{MigrationRequest, Step, action, operation, policy};
use covenant_model::wire::path;

/// Maximum number of steps in one plan.
const STEPS_MAX: usize = 10_000;
/// Members that ask to pass a plan on to a third platform.
const MULTI_HOP: [&str; 7] =
    ["forward_to", "next_hop", "hops", "via", "chain", "final_destination", "relay_to"];

/// The reason why a plan is rejected before any step is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanError {
    /// HTTP status: 400 for a malformed plan, 422 for one whose content is not acceptable.
    pub(crate) status: u16,
    pub(crate) text: String,
    /// The undeclared kind that the plan asked for, if it asked for one.
    pub(crate) undeclared_kind: Option<String>,
}

/// Returns whether no order is negative and no two are equal.
pub(crate) fn has_valid_orders(steps: &[Step]) -> bool {
    let orders: BTreeSet<i64> = steps.iter().map(|step| step.step_order).collect();
    orders.len() == steps.len() && orders.first().is_none_or(|first| *first >= 0)
}

/// Returns whether the ids are equal or the payload has no id.
pub(crate) fn ids_match(step: &Step) -> bool {
    step.payload.get("id").is_none_or(|id| id == step.resource_id.as_str())
}

/// Returns whether the kind is the grant's own kind or a declared dependency of it.
pub(crate) fn covers_kind(grant: &Grant, dependencies: &[String], kind: &str) -> bool {
    grant.resource_kind == kind || dependencies.iter().any(|dependency| dependency == kind)
}

/// Returns whether the body asks for more than one hop. A migration goes from one platform to one other.
pub(crate) fn is_multi_hop(body: &Value) -> bool {
    MULTI_HOP.iter().any(|name| body.get(*name).is_some() || body["plan_summary"].get(*name).is_some())
}

/// Returns whether the migration was open before the revocation and the grace still lasts.
pub(crate) fn is_in_grace(peer: &Peer, migration: &Migration, now: Timestamp) -> bool {
    let notice = peer.grace_until.and_then(|end| end.checked_sub(peering::GRACE).ok());
    migration.status == "transferring"
        && notice.is_some_and(|notice| migration.opened_at <= notice)
        && peering::grace_lasts(peer, now)
}

/// Parses a plan. A malformed plan is rejected with 400 and the observed texts.
pub(crate) fn read(tx: &Transaction<'_>, body: &Value) -> Result<MigrationRequest, PlanError> {
    let missing: Vec<&str> = ["operation", "root_resource_kind", "root_resource_id"]
        .into_iter()
        .filter(|name| body[*name].as_str().is_none_or(str::is_empty))
        .collect();
    if !missing.is_empty() {
        return malformed(format!("Missing required fields: {}", missing.join(", ")));
    }
    let operations = [operation::DUPLICATE, operation::MIGRATE, operation::DELETE];
    if !operations.contains(&body["operation"].as_str().unwrap_or_default()) {
        return malformed(format!("operation must be one of {operations:?}"));
    }
    let steps = body["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    if steps.is_empty() {
        return malformed("Plan must contain at least one step".to_owned());
    }
    let incomplete: Vec<String> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| !has_required_fields(step))
        .map(|(index, _)| index.to_string())
        .collect();
    if !incomplete.is_empty() {
        return malformed(format!("Steps missing required fields: indexes=[{}]", incomplete.join(", ")));
    }
    let plan = MigrationRequest::deserialize(without_nulls(body))
        .or_else(|error| malformed(format!("Invalid payload: {error}")))?;
    check_steps(tx, &plan)?;
    Ok(plan)
}

/// Checks that every kind is declared and covered, and that every schema is acceptable. A failure is a 422.
pub(crate) fn check_reach(
    tx: &Transaction<'_>,
    peer: &Peer,
    grant: &Grant,
    plan: &MigrationRequest,
) -> Result<Result<(), PlanError>, StoreError> {
    let declared = capabilities::declared(tx, &peer.id)?;
    let row = |kind: &str| declared.iter().find(|row| row.resource_kind == kind);
    let served = |kind: &str| row(kind).filter(|row| (tx.policy.capabilities.serves)(row));
    let none = Vec::new();
    let dependencies = row(&grant.resource_kind).map_or(&none, |row| &row.dependencies);
    let checked = (tx.policy.migration.select_checked_steps)(&plan.steps);
    let kinds = checked.iter().map(|step| step.resource_kind.as_str());
    for kind in std::iter::once(plan.root_resource_kind.as_str()).chain(kinds) {
        if served(kind).is_none() && !(tx.policy.migration.accepts_undeclared)(kind) {
            return Ok(Err(undeclared(kind)));
        }
        if !(tx.policy.migration.covers_kind)(grant, dependencies, kind) {
            return Ok(Err(uncovered(kind)));
        }
    }
    let rejected = plan
        .steps
        .iter()
        .find(|step| served(&step.resource_kind).is_some_and(|row| !accepts_schema(tx, row, plan, step)));
    Ok(match rejected {
        Some(step) => {
            Err(unacceptable(format!("schema_version of {} is not the declared one", step.resource_kind)))
        }
        None => Ok(()),
    })
}

fn check_steps(tx: &Transaction<'_>, plan: &MigrationRequest) -> Result<(), PlanError> {
    let invalid = |text: String| malformed(format!("Invalid payload: {text}"));
    if plan.steps.len() > STEPS_MAX {
        return invalid(format!("more than {STEPS_MAX} steps"));
    }
    if !(tx.policy.migration.has_valid_orders)(&plan.steps) {
        return invalid("step_order must not be negative or repeated".to_owned());
    }
    for step in &plan.steps {
        let name = format!("{}:{}", step.resource_kind, step.resource_id);
        if !path::is_kind(&step.resource_kind) || !path::is_id(&step.resource_id) {
            return invalid(format!("{name:?} names no resource"));
        }
        if !action::ALL.contains(&step.action.as_str()) {
            return invalid(format!("Action of {name} is not included in the list"));
        }
        if step.conflict_policy.as_deref().is_some_and(|given| !policy::ALL.contains(&given)) {
            return invalid(format!("Conflict policy of {name} is not included in the list"));
        }
        if !(tx.policy.migration.ids_match)(step) {
            return invalid(format!("payload.id of {name} is not its resource_id"));
        }
    }
    Ok(())
}

fn has_required_fields(step: &Value) -> bool {
    ["step_order", "resource_kind", "resource_id", "action"].iter().all(|name| {
        let value = &step[*name];
        !value.is_null() && value.as_str().is_none_or(|text| !text.is_empty())
    })
}

/// Returns whether the step's own schema, else the plan's, is accepted. Both may be absent.
fn accepts_schema(tx: &Transaction<'_>, row: &Capability, plan: &MigrationRequest, step: &Step) -> bool {
    let given = step.metadata.get("schema_version").or_else(|| plan.plan_summary.get("schema_version"));
    let in_force = (tx.policy.capabilities.schema_in_force)(tx, row);
    (tx.policy.capabilities.accepts_schema)(&in_force, given.unwrap_or(&Value::Null))
}

/// Removes each `null` in place of an object: it counts as absent.
fn without_nulls(body: &Value) -> Value {
    let mut body = body.clone();
    let drop_nulls = |members: &mut Map<String, Value>| members.retain(|_, value| !value.is_null());
    if let Some(members) = body.as_object_mut() {
        drop_nulls(members);
    }
    if let Some(steps) = body.get_mut("steps").and_then(Value::as_array_mut) {
        steps.iter_mut().filter_map(Value::as_object_mut).for_each(drop_nulls);
    }
    body
}

fn undeclared(kind: &str) -> PlanError {
    PlanError {
        status: 422,
        text: format!("Resource kind {kind:?} not declared in federation_inventory.yaml"),
        undeclared_kind: Some(kind.to_owned()),
    }
}

fn uncovered(kind: &str) -> PlanError {
    PlanError {
        status: 422,
        text: format!("Step kind {kind:?} is neither the grant's nor a declared dependency of it"),
        undeclared_kind: Some(kind.to_owned()),
    }
}

fn unacceptable(text: String) -> PlanError {
    PlanError { status: 422, text, undeclared_kind: None }
}

fn malformed<T>(text: String) -> Result<T, PlanError> {
    Err(PlanError { status: 400, text, undeclared_kind: None })
}
