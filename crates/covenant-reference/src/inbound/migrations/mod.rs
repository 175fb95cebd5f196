//! `POST /migrations`, `GET /migrations/:id`, `POST /migrations/:id/commit`

mod view;

use serde_json::{Map, Value, json};

use super::grants::{self, AccessRequest};
use super::{InboundCall, InboundError, Reply};
use crate::migration::plan::{self, PlanError};
use crate::migration::{self, Failure, Outcome, Plan};
use crate::peering;
use crate::store::rows::{Direction, Grant, Migration};
use crate::store::{StoreError, table};
use covenant_model::wire::grant::Scope;
use covenant_model::wire::migration::MigrationRequest;
use covenant_model::wire::state::PeerStatus;

/// Handles a plan: validates all of it, then applies it, or opens the migration if `commit` is false.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Result<Reply, InboundError> {
    let tx = inbound.tx;
    let body = inbound.json()?;
    let request = plan::read(tx, &body).map_err(|error| refuse(inbound, error))?;
    let grant = grants::check(inbound, &access_request(&request, began_before_end(inbound)))?;
    if (tx.policy.migration.is_multi_hop)(&body) {
        return Err(Reply::bare_failure(422, "A migration is not passed on to a third platform").refused());
    }
    plan::check_reach(tx, &inbound.peer, &grant, &request)?.map_err(|error| refuse(inbound, error))?;
    let mut migration = opened(inbound, request, &grant);
    if migration.plan.commit == Some(false) {
        write_log(inbound, &mut migration, "opened", json!({}));
        table::put(tx.db, &migration)?;
        (tx.policy.migration.on_opening)(tx, &inbound.peer, &migration)?;
        return Ok(Reply::bare(202, &view::short(&migration)));
    }
    apply_and_record(inbound, &mut migration)
}

/// Applies an open migration.
pub(super) fn commit(inbound: &InboundCall<'_>, id: &str) -> Result<Reply, InboundError> {
    let mut migration = visible_to(inbound, id, inbound.tx.policy.migration.is_committed_by)?;
    if migration.status != "transferring" {
        let text = format!("migration is {}", migration.status);
        return Err(Reply::bare_failure(409, text).refused());
    }
    check_grant(inbound, &migration)?;
    apply_and_record(inbound, &mut migration)
}

/// Answers with the state of a migration, to the peer that sent it and to no other.
pub(super) fn show(inbound: &InboundCall<'_>, id: &str) -> Result<Reply, InboundError> {
    let migration = visible_to(inbound, id, inbound.tx.policy.migration.is_shown_to)?;
    Ok(Reply::bare(200, &view::completed(&migration)))
}

/// Returns whether a revoked peer may still commit this migration (4.3).
pub(super) fn is_in_grace(inbound: &InboundCall<'_>, id: &str) -> Result<bool, StoreError> {
    let migration = table::find::<Migration>(inbound.tx.db, id)?.filter(|m| m.peer_id == inbound.peer.id);
    let covers = inbound.tx.policy.migration.is_in_grace;
    Ok(migration.is_some_and(|migration| covers(&inbound.peer, &migration, inbound.tx.now)))
}

/// Returns whether a migration of a peer that was revoked meanwhile had begun to arrive before, and the grace lasts
/// (4.3).
pub(super) fn began_before_end(inbound: &InboundCall<'_>) -> bool {
    inbound.call.mark
        && inbound.peer.status == PeerStatus::Revoked
        && inbound.tx.policy.migration.takes_what_began
        && peering::grace_lasts(&inbound.peer, inbound.tx.now)
}

/// Applies the plan, writes the row, reports to the operator and answers.
fn apply_and_record(inbound: &InboundCall<'_>, migration: &mut Migration) -> Result<Reply, InboundError> {
    let tx = inbound.tx;
    let result = {
        let plan = Plan { tx, peer: &inbound.peer, request: &migration.plan };
        (tx.policy.migration.apply)(&plan)
    };
    migration.ended_at = Some(tx.now);
    let reply = match result {
        Ok(outcome) => complete(inbound, migration, &outcome)?,
        Err(Failure::Failed { message, conflict }) => {
            let conflicts: Vec<_> = conflict.map(|conflict| *conflict).into_iter().collect();
            let outcome = Outcome { conflicts, ..Outcome::default() };
            "failed".clone_into(&mut migration.status);
            migration.conflict_log = (tx.policy.migration.claim_conflicts)(&outcome);
            write_log(inbound, migration, "failed", json!({ "error": message }));
            Reply::new(422, view::failed(migration, &message))
        }
        Err(Failure::Store(error)) => return Err(error.into()),
    };
    (tx.policy.migration.override_migration)(migration);
    table::put(tx.db, migration)?;
    Ok(reply)
}

fn complete(
    inbound: &InboundCall<'_>,
    migration: &mut Migration,
    outcome: &Outcome,
) -> Result<Reply, InboundError> {
    let tx = inbound.tx;
    let policy = &tx.policy.migration;
    "completed".clone_into(&mut migration.status);
    (migration.applied_count, migration.skipped_count) = (policy.claim_counts)(outcome);
    migration.conflict_log = (policy.claim_conflicts)(outcome);
    if let Some(crossing) =
        migration::crossing((policy.locate_peer)(&inbound.peer), &(policy.locate_self)(tx)?)
    {
        record_crossing(inbound, migration, &crossing)?;
    }
    let counts = json!({"applied_count": migration.applied_count, "skipped_count": migration.skipped_count});
    write_log(inbound, migration, "completed", counts);
    (policy.on_completion)(tx, &inbound.peer, migration)?;
    Ok(Reply::bare(201, &view::completed(migration)))
}

/// Reports a crossing to the operator (8.2) and records it in the migration's row (8.3).
fn record_crossing(
    inbound: &InboundCall<'_>,
    migration: &mut Migration,
    crossing: &Value,
) -> Result<(), StoreError> {
    let policy = &inbound.tx.policy.migration;
    if policy.records_crossing {
        migration.metadata.insert("cross_jurisdiction".to_owned(), crossing.clone());
        write_log(inbound, migration, "cross_jurisdiction", crossing.clone());
    }
    if !(policy.reports_crossing)(migration) {
        return Ok(());
    }
    let facts = json!({"migration_id": migration.id, "cross_jurisdiction": crossing});
    peering::report_event(inbound.tx, &inbound.peer, "migration.cross_residency_boundary", "high", facts)
}

fn opened(inbound: &InboundCall<'_>, plan: MigrationRequest, grant: &Grant) -> Migration {
    Migration {
        id: inbound.tx.new_id(),
        peer_id: inbound.peer.id.clone(),
        direction: Direction::Inbound,
        remote_migration_id: None,
        plan,
        status: "transferring".to_owned(),
        applied_count: 0,
        skipped_count: 0,
        conflict_log: Vec::new(),
        audit_log: Vec::new(),
        metadata: Map::new(),
        grant_id: Some(grant.id.clone()),
        opened_at: inbound.tx.now,
        ended_at: None,
    }
}

/// Returns an inbound migration if the caller may see it. Any other migration is a 404.
fn visible_to(
    inbound: &InboundCall<'_>,
    id: &str,
    is_of: fn(&Migration, &str) -> bool,
) -> Result<Migration, InboundError> {
    let found = table::find::<Migration>(inbound.tx.db, id)?;
    let seen = found.filter(|m| m.direction == Direction::Inbound && is_of(m, &inbound.peer.id));
    seen.ok_or_else(|| {
        let target = format!("migrations/{id}");
        Reply::bare_failure(404, "Migration not found").suspecting(inbound.refused(&target)).refused()
    })
}

/// Checks the token of the call, if it has one; else the grant under which the migration was opened.
fn check_grant(inbound: &InboundCall<'_>, migration: &Migration) -> Result<(), InboundError> {
    let request = access_request(&migration.plan, true);
    if inbound.call.header(covenant_model::wire::header::AUTHORIZATION).is_some() {
        return grants::check(inbound, &request).map(|_| ());
    }
    let id = migration.grant_id.as_deref().unwrap_or_default();
    let grant = table::find::<Grant>(inbound.tx.db, id)?;
    match grant {
        Some(grant) => grants::check_validity(inbound, &grant, &request),
        None => Err(Reply::unauthorized("Grant token does not resolve").refused()),
    }
}

fn access_request(plan: &MigrationRequest, in_grace: bool) -> AccessRequest<'_> {
    AccessRequest {
        kind: &plan.root_resource_kind,
        id: &plan.root_resource_id,
        scope: Scope::Migrate,
        in_grace,
    }
}

fn refuse(inbound: &InboundCall<'_>, error: PlanError) -> InboundError {
    let suspicion = error.undeclared_kind.as_deref().and_then(|kind| inbound.refused(kind));
    Reply::bare_failure(error.status, error.text).suspecting(suspicion).refused()
}

fn write_log(inbound: &InboundCall<'_>, migration: &mut Migration, event: &str, mut facts: Value) {
    facts["at"] = json!(inbound.tx.now.to_string());
    facts["event"] = json!(event);
    facts["federation_peer_id"] = json!(inbound.peer.id);
    migration.audit_log.push(facts);
}
