//! Sending a migration, as its source: the originals go only when all of it was read back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::line::{Called, call};
use super::probe::{drift, held_token};
use super::verify::{Reading, verify};
use crate::reference::act::Act;
use crate::reference::govern::{self, Suspicion};
use crate::reference::operate::OperatorError;
use crate::reference::platform::Platform;
use crate::reference::store::records::{self, Record};
use crate::reference::store::rows::{Direction, Migration, Peer};
use crate::reference::store::{StoreError, table};
use crate::wire::envelope::Answer;
use crate::wire::migration::{MigrationRequest, MigrationView, Step, action, operation, policy};
use crate::wire::notice::finding;
use crate::wire::path::Route;

/// Records that one migration takes along.
const RECORDS_MAX: usize = 1000;

/// What the operator asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    pub(crate) peer_id: String,
    pub(crate) operation: String,
    pub(crate) root_resource_kind: String,
    pub(crate) root_resource_id: String,
    pub(crate) bearer_token: Option<String>,
}

/// A refusal that speaks of the schema is one of the schema.
pub(crate) fn is_schema_drift(error: &str) -> bool {
    error.to_lowercase().contains("schema")
}

/// Sends a record, with those that it depends on, and checks what the destination claims.
pub(crate) async fn send(platform: &Arc<Platform>, order: Order) -> Result<Value, OperatorError> {
    let (peer, mut plan, token) = platform.act::<_, OperatorError>(|act| {
        let peer = table::find::<Peer>(act.db, &order.peer_id)?
            .ok_or_else(|| OperatorError::not_found("peer", &order.peer_id))?;
        let held = held_token(act, &peer.id, &order.root_resource_kind, "migrate")?;
        let token = order.bearer_token.clone().or(held);
        Ok((peer.clone(), plan(act, &peer, &order)?, token))
    })?;
    (platform.rules.out.amend_plan)(&mut plan);
    let body = serde_json::to_value(&plan).map_err(|error| OperatorError::new(-32603, error.to_string()))?;
    let called = call(platform, &peer, &Route::Migrations, Some(&body), token.as_deref()).await?;
    let view = view(&called);
    let reading = if called.succeeded() && view.status == "completed" {
        verify(platform, &peer, &plan, &view, token.as_deref()).await?
    } else {
        Reading::default()
    };
    platform.act(|act| conclude(act, &peer, plan, &called, &view, &reading))
}

/// The record and what it depends on, dependencies first.
fn plan(act: &Act<'_>, peer: &Peer, order: &Order) -> Result<MigrationRequest, OperatorError> {
    if ![operation::MIGRATE, operation::DUPLICATE].contains(&order.operation.as_str()) {
        return Err(OperatorError::parameters(format!(
            "operation must be migrate or duplicate, not {}",
            order.operation
        )));
    }
    let found = gather(act, &order.root_resource_kind, &order.root_resource_id)?;
    let duplicates = order.operation == operation::DUPLICATE;
    let fresh: BTreeMap<String, String> = if duplicates {
        found.iter().map(|record| (record.id.clone(), act.new_id())).collect()
    } else {
        BTreeMap::new()
    };
    let id_of = |id: &str| fresh.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let steps = (1..).zip(found.iter().rev()).map(|(step_order, record)| {
        let mut payload = record.body.clone();
        if duplicates {
            replace_ids(&mut payload, &fresh);
            payload.insert("metadata".to_owned(), json!({ "duplicated_from": record.id }));
        }
        Step {
            step_order,
            resource_kind: record.kind.clone(),
            resource_id: id_of(&record.id),
            action: action::CREATE.to_owned(),
            conflict_policy: Some(if duplicates { policy::FAIL } else { policy::SKIP_IF_EXISTS }.to_owned()),
            payload,
            metadata: schema_of(peer, &record.kind),
            extra: BTreeMap::new(),
        }
    });
    Ok(MigrationRequest {
        operation: order.operation.clone(),
        root_resource_kind: order.root_resource_kind.clone(),
        root_resource_id: id_of(&order.root_resource_id),
        plan_summary: Map::new(),
        steps: steps.collect(),
        commit: None,
        extra: BTreeMap::new(),
    })
}

/// The root, then what it depends on, breadth first.
fn gather(act: &Act<'_>, kind: &str, id: &str) -> Result<Vec<Record>, OperatorError> {
    let root = records::find(act.db, kind, id)?.ok_or_else(|| OperatorError::not_found(kind, id))?;
    let mut found = vec![];
    let mut next = VecDeque::from([root]);
    while let Some(record) = next.pop_front() {
        if found.len() >= RECORDS_MAX {
            return Err(OperatorError::state(format!(
                "more than {RECORDS_MAX} records depend on each other"
            )));
        }
        for other in record.body.get("depends_on").and_then(Value::as_array).into_iter().flatten() {
            let (Some(kind), Some(id)) = (other["kind"].as_str(), other["id"].as_str()) else { continue };
            let known = |seen: &Record| seen.kind == kind && seen.id == id;
            if found.iter().chain(&next).any(known) || known(&record) {
                continue;
            }
            next.extend(records::find(act.db, kind, id)?);
        }
        found.push(record);
    }
    Ok(found)
}

/// The peer's own schema version of a kind: that is what it says it takes.
fn schema_of(peer: &Peer, kind: &str) -> Map<String, Value> {
    let rows = peer.capabilities["resource_kinds"].as_array();
    let row = rows.into_iter().flatten().find(|row| row["kind"] == kind);
    let version = row.map(|row| row["schema_version"].clone()).filter(|version| !version.is_null());
    version.map(|version| ("schema_version".to_owned(), version)).into_iter().collect()
}

fn replace_ids(members: &mut Map<String, Value>, fresh: &BTreeMap<String, String>) {
    for member in members.values_mut() {
        match member {
            Value::String(text) => {
                if let Some(id) = fresh.get(text.as_str()) {
                    text.clone_from(id);
                }
            }
            Value::Object(inner) => replace_ids(inner, fresh),
            Value::Array(items) => {
                for item in items {
                    let mut wrapped = Map::from_iter([("item".to_owned(), item.take())]);
                    replace_ids(&mut wrapped, fresh);
                    *item = wrapped.remove("item").unwrap_or(Value::Null);
                }
            }
            _ => {}
        }
    }
}

/// What the destination says of the migration, whichever way it went.
fn view(called: &Called) -> MigrationView {
    let members = match Answer::read(&called.body) {
        Some(Answer::Data(data)) => data,
        Some(Answer::Refusal(refusal)) => json!(refusal.extra),
        None => Value::Null,
    };
    MigrationView::deserialize(&members).unwrap_or_default()
}

fn conclude(
    act: &Act<'_>,
    peer: &Peer,
    plan: MigrationRequest,
    called: &Called,
    view: &MigrationView,
    reading: &Reading,
) -> Result<Value, OperatorError> {
    let completed = called.succeeded() && view.status == "completed";
    if !completed && (act.rules.out.is_schema_drift)(&called.error()) {
        drift(act, &peer.id, &plan.root_resource_kind, "a declared schema version is not run")?;
    }
    let untruths = (act.rules.out.untruths)(reading.untruths.clone());
    if !untruths.is_empty() {
        let facts = json!({"migration_id": view.migration_id, "untruths": untruths});
        let message = "a destination's claims about a migration are not true";
        govern::raise(
            act,
            &peer.id,
            &Suspicion::breach(finding::MIGRATION_UNTRUTHFUL, &[7], message, facts),
        )?;
    }
    let read_back = completed && untruths.is_empty() && reading.is_whole;
    if plan.operation == operation::MIGRATE && completed && (act.rules.out.deletes_originals)(read_back) {
        delete_originals(act, &plan, view)?;
    }
    let status = if completed && untruths.is_empty() { "completed" } else { "failed" };
    let migration = kept(act, peer, plan, view, status);
    table::put(act.db, &migration)?;
    Ok(json!({
        "migration_id": migration.id, "remote_migration_id": migration.remote_migration_id,
        "status": status, "answered": called.status, "error": called.error(),
        "conflict_log": migration.conflict_log, "untruths": untruths,
    }))
}

/// Deletes what now stands at the destination; what it skipped stays here.
fn delete_originals(act: &Act<'_>, plan: &MigrationRequest, view: &MigrationView) -> Result<(), StoreError> {
    let conflicts = view.conflict_log.as_deref().unwrap_or_default();
    for step in &plan.steps {
        let skipped = conflicts.iter().any(|conflict| conflict.step_order == step.step_order);
        if !skipped {
            records::remove(act.db, &step.resource_kind, &step.resource_id)?;
        }
    }
    Ok(())
}

fn kept(act: &Act<'_>, peer: &Peer, plan: MigrationRequest, view: &MigrationView, status: &str) -> Migration {
    Migration {
        id: act.new_id(),
        peer_id: peer.id.clone(),
        direction: Direction::Outbound,
        remote_migration_id: Some(view.migration_id.clone()).filter(|id| !id.is_empty()),
        plan,
        status: status.to_owned(),
        applied_count: view.applied_count.unwrap_or(0),
        skipped_count: view.skipped_count.unwrap_or(0),
        conflict_log: view.conflict_log.clone().unwrap_or_default(),
        audit_log: vec![json!({"at": act.now.to_string(), "event": "sent", "status": status})],
        metadata: Map::new(),
        grant_id: None,
        opened_at: act.now,
        ended_at: Some(act.now),
    }
}
