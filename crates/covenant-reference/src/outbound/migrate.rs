//! Outbound migration, with this platform as the source: originals are deleted only after all of it was read
//! back.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::outbound_call::{Called, call};
use super::plan::plan;
use super::probe::{check_grant, drift, held};
use super::verify::{Reading, verify};
use crate::governance;
use crate::handshake::release;
use crate::method_error::MethodError;
use crate::migration;
use crate::peering;
use crate::platform::Platform;
use crate::store::records;
use crate::store::rows::{Direction, HeldGrant, Migration, Peer, Side};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::operator::INTERNAL;
use covenant_model::operator::migration::SendMigration;
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::migration::{MigrationRequest, MigrationView, Step, operation};
use covenant_model::wire::notice::finding;
use covenant_model::wire::path::Route;

/// Status of an open migration.
const TRANSFERRING: &str = "transferring";

/// Returns whether the error text mentions the schema.
pub(crate) fn is_schema_drift(error: &str) -> bool {
    error.to_lowercase().contains("schema")
}

/// Refuses an order that concerns a peer whose release is not called.
pub(crate) fn require_called_release(tx: &Transaction<'_>, peer: &Peer) -> Result<(), MethodError> {
    let theirs = peer.platform_version.as_deref().unwrap_or_default();
    if (tx.policy.outbound.calls_release)(&release(tx)?, theirs) {
        return Ok(());
    }
    Err(MethodError::state(format!("the peer runs {theirs}")))
}

/// Sends a record with its dependencies, and checks the destination's claims.
pub(crate) async fn send(platform: &Arc<Platform>, order: SendMigration) -> Result<Value, MethodError> {
    let (peer, plan, held) = platform.transaction::<_, MethodError>(|tx| {
        let peer = table::find::<Peer>(tx.db, &order.peer_id)?
            .ok_or_else(|| MethodError::not_found("peer", &order.peer_id))?;
        require_called_release(tx, &peer)?;
        let plan = plan(tx, &peer, &order)?;
        Ok((peer, plan, grant_for(tx, &order)?))
    })?;
    let token = order.bearer_token.or_else(|| held.as_ref().map(|grant| grant.bearer_token.clone()));
    let body = serde_json::to_value(&plan).map_err(|error| MethodError::new(INTERNAL, error.to_string()))?;
    let called = call(platform, &peer, &Route::Migrations, Some(&body), token.as_deref()).await?;
    let (view, reading) = read_back(platform, &peer, &plan, &called, token.as_deref()).await?;
    platform.transaction(|tx| {
        let migration = outbound(tx, &peer, plan, held.as_ref());
        if let Some(grant) = held.filter(|grant| covers(grant, &migration.plan)) {
            check_grant(tx, &grant, "migrate", &called)?;
            check_grant(tx, &grant, "read", &reading.refused.clone().unwrap_or_default())?;
        }
        conclude(tx, &peer, migration, &called, &view, &reading)
    })
}

/// Completes an open migration (`commit: false`). A peer that has since revoked still owes the grace (4.3).
pub(crate) async fn commit(platform: &Arc<Platform>, id: &str) -> Result<Value, MethodError> {
    let (peer, migration, held) = platform.transaction::<_, MethodError>(|tx| open_one(tx, id))?;
    let route = Route::MigrationCommit { id: migration.remote_migration_id.clone().unwrap_or_default() };
    let token = held.map(|grant| grant.bearer_token);
    let called = call(platform, &peer, &route, Some(&json!({})), token.as_deref()).await?;
    let (view, reading) = read_back(platform, &peer, &migration.plan, &called, token.as_deref()).await?;
    platform.transaction(|tx| {
        let peer = table::find::<Peer>(tx.db, &peer.id)?.unwrap_or(peer);
        if (tx.policy.outbound.cuts_grace)(&peer, tx.now, &called) {
            let facts = json!({"migration_id": migration.id, "grace_until": peer.grace_until.map(|end| end.to_string())});
            let message = "a migration in flight was cut off within the grace";
            governance::note(tx, &peer.id, &Suspicion::soft(finding::GRACE_CUT, message, facts))?;
        }
        conclude(tx, &peer, migration, &called, &view, &reading)
    })
}

/// Returns whether a peer that gave notice refuses an open migration while the grace lasts.
pub(crate) fn cuts_grace(peer: &Peer, now: Timestamp, called: &Called) -> bool {
    let owes_grace = peer.revoked_at.is_some_and(|at| now.duration_since(at) < peering::GRACE);
    peer.revoked_by == Some(Side::Remote) && owes_grace && called.is_refused()
}

fn open_one(tx: &Transaction<'_>, id: &str) -> Result<(Peer, Migration, Option<HeldGrant>), MethodError> {
    let migration = table::find::<Migration>(tx.db, id)?.filter(|row| row.direction == Direction::Outbound);
    let migration = migration.ok_or_else(|| MethodError::not_found("migration", id))?;
    if migration.status != TRANSFERRING {
        return Err(MethodError::state(format!("the migration is {}", migration.status)));
    }
    let peer = table::find::<Peer>(tx.db, &migration.peer_id)?
        .ok_or_else(|| MethodError::not_found("peer", &migration.peer_id))?;
    let held = table::find::<HeldGrant>(tx.db, migration.grant_id.as_deref().unwrap_or_default())?;
    Ok((peer, migration, held))
}

/// Returns the destination's claims and, if it claims completion, the result of reading the records back.
async fn read_back(
    platform: &Arc<Platform>,
    peer: &Peer,
    plan: &MigrationRequest,
    called: &Called,
    token: Option<&str>,
) -> Result<(MigrationView, Reading), MethodError> {
    let view = view(called);
    let is_done = called.succeeded() && view.status == "completed";
    let is_read = is_done && (platform.policy.outbound.reads_back)(plan);
    let reading =
        if is_read { verify(platform, peer, plan, &view, token).await? } else { Reading::default() };
    Ok((view, reading))
}

/// Returns the held grant for the migration: the one whose token the operator names, else one that fits.
fn grant_for(tx: &Transaction<'_>, order: &SendMigration) -> Result<Option<HeldGrant>, StoreError> {
    let Some(token) = &order.bearer_token else {
        return held(tx, &order.peer_id, &order.root_resource_kind, "migrate");
    };
    let held: Vec<HeldGrant> = table::of_peer(tx.db, &order.peer_id)?;
    Ok(held.into_iter().find(|grant| grant.bearer_token == *token))
}

/// Returns whether a grant alone covers a whole plan. If so, a refusal is the peer's doing.
fn covers(grant: &HeldGrant, plan: &MigrationRequest) -> bool {
    grant.resource_id.is_none() && plan.steps.iter().all(|step| step.resource_kind == grant.resource_kind)
}

/// Returns the destination's view of the migration, whatever its outcome.
fn view(called: &Called) -> MigrationView {
    let members = match Answer::read(&called.body) {
        Some(Answer::Data(data)) => data,
        Some(Answer::Refusal(refusal)) => json!(refusal.extra),
        None => Value::Null,
    };
    MigrationView::deserialize(&members).unwrap_or_default()
}

fn conclude(
    tx: &Transaction<'_>,
    peer: &Peer,
    mut migration: Migration,
    called: &Called,
    view: &MigrationView,
    reading: &Reading,
) -> Result<Value, MethodError> {
    let plan = &migration.plan;
    let completed = called.succeeded() && view.status == "completed";
    if !completed && (tx.policy.outbound.is_schema_drift)(&called.error()) {
        drift(tx, &peer.id, &plan.root_resource_kind, "a declared schema version is not run")?;
    }
    let untruths = (tx.policy.outbound.select_untruths)(reading.untruths.clone());
    if !untruths.is_empty() {
        let facts = json!({"migration_id": view.migration_id, "untruths": untruths});
        let message = "a destination's claims about a migration are not true";
        governance::raise(
            tx,
            &peer.id,
            &Suspicion::breach(finding::MIGRATION_UNTRUTHFUL, &[7], message, facts),
        )?;
    }
    let read_back = completed && untruths.is_empty() && reading.is_complete;
    let may_delete = called.succeeded() && (tx.policy.outbound.deletes_at)(&view.status);
    if plan.operation == operation::MIGRATE && may_delete && (tx.policy.outbound.deletes_originals)(read_back)
    {
        delete_originals(tx, plan, view)?;
    }
    let status = match (completed && untruths.is_empty(), called.succeeded()) {
        (true, _) => "completed",
        (_, true) if view.status == TRANSFERRING => TRANSFERRING,
        _ => "failed",
    };
    note_outcome(tx, &mut migration, view, status);
    if completed {
        record_crossing(tx, peer, &mut migration)?;
        (tx.policy.migration.on_completion)(tx, peer, &migration)?;
    }
    table::put(tx.db, &migration)?;
    Ok(json!({
        "migration_id": migration.id, "remote_migration_id": migration.remote_migration_id,
        "status": status, "answered": called.status, "error": called.error(),
        "conflict_log": migration.conflict_log, "untruths": untruths,
    }))
}

/// Deletes the originals that are now stored at the destination. Skipped records stay.
fn delete_originals(
    tx: &Transaction<'_>,
    plan: &MigrationRequest,
    view: &MigrationView,
) -> Result<(), StoreError> {
    let conflicts = view.conflict_log.as_deref().unwrap_or_default();
    for step in &plan.steps {
        let skipped = conflicts.iter().any(|conflict| conflict.step_order == step.step_order);
        if !skipped {
            (tx.policy.outbound.delete_original)(tx, step)?;
        }
    }
    Ok(())
}

/// Deletes the record that a step sent.
pub(crate) fn delete_original(tx: &Transaction<'_>, step: &Step) -> Result<(), StoreError> {
    records::remove(tx.db, &step.resource_kind, &step.resource_id).map(drop)
}

/// Reports a crossing to another residency to the operator, and records it in the migration's row (8.2, 8.3).
fn record_crossing(tx: &Transaction<'_>, peer: &Peer, migration: &mut Migration) -> Result<(), StoreError> {
    let policy = &tx.policy.migration;
    let crossing = migration::crossing(&(policy.locate_self)(tx)?, (policy.locate_peer)(peer));
    let recorded = (tx.policy.outbound.choose_recorded_crossing)(tx, peer, migration, crossing.clone());
    if let Some(recorded) = recorded.filter(|_| policy.records_crossing) {
        migration.metadata.insert("cross_jurisdiction".to_owned(), recorded);
    }
    if let Some(crossing) = crossing.filter(|_| (tx.policy.outbound.reports_crossing)(&*migration)) {
        let facts = json!({"migration_id": migration.id, "cross_jurisdiction": crossing});
        peering::report_event(tx, peer, "migration.cross_residency_boundary", "high", facts)?;
    }
    Ok(())
}

/// Creates an outbound migration whose outcome is not yet known.
fn outbound(
    tx: &Transaction<'_>,
    peer: &Peer,
    plan: MigrationRequest,
    held: Option<&HeldGrant>,
) -> Migration {
    Migration {
        id: tx.new_id(),
        peer_id: peer.id.clone(),
        direction: Direction::Outbound,
        remote_migration_id: None,
        plan,
        status: TRANSFERRING.to_owned(),
        applied_count: 0,
        skipped_count: 0,
        conflict_log: Vec::new(),
        audit_log: Vec::new(),
        metadata: Map::new(),
        grant_id: held.map(|grant| grant.id.clone()),
        opened_at: tx.now,
        ended_at: None,
    }
}

fn note_outcome(tx: &Transaction<'_>, migration: &mut Migration, view: &MigrationView, status: &str) {
    if !view.migration_id.is_empty() {
        migration.remote_migration_id = Some(view.migration_id.clone());
    }
    status.clone_into(&mut migration.status);
    migration.applied_count = view.applied_count.unwrap_or(0);
    migration.skipped_count = view.skipped_count.unwrap_or(0);
    migration.conflict_log = view.conflict_log.clone().unwrap_or_default();
    migration.audit_log.push(json!({"at": tx.now.to_string(), "event": "sent", "status": status}));
    migration.ended_at = (status != TRANSFERRING).then_some(tx.now);
}
