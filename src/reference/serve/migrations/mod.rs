//! `POST /migrations`, `GET /migrations/:id`, `POST /migrations/:id/commit`

mod view;

use serde_json::{Map, Value, json};

use super::grants::{self, Wish};
use super::{Fault, Reply, Visit};
use crate::reference::apply::plan::{self, Unsound};
use crate::reference::apply::{self, Failure, Outcome, Plan};
use crate::reference::peering;
use crate::reference::store::rows::{Direction, Grant, Migration};
use crate::reference::store::{StoreError, table};
use crate::wire::grant::Scope;
use crate::wire::migration::MigrationRequest;

/// Takes a plan: judged whole, then applied whole, or opened where `commit` is false.
pub(super) fn answer(visit: &Visit<'_>) -> Result<Reply, Fault> {
    let act = visit.act;
    let body = visit.json()?;
    let request = plan::read(act, &body).map_err(|unsound| refuse(visit, unsound))?;
    let grant = grants::check(visit, &wish(&request, false))?;
    if (act.rules.migrations.is_multi_hop)(&body) {
        return Err(Reply::bare_failure(422, "A migration is not passed on to a third platform").refused());
    }
    plan::check_reach(act, &visit.peer, &grant, &request)?.map_err(|unsound| refuse(visit, unsound))?;
    let mut migration = opened(visit, request, &grant);
    if migration.plan.commit == Some(false) {
        write_log(visit, &mut migration, "opened", json!({}));
        table::put(act.db, &migration)?;
        return Ok(Reply::bare(202, &view::short(&migration)));
    }
    conduct(visit, &mut migration)
}

/// Applies a migration that was opened.
pub(super) fn commit(visit: &Visit<'_>, id: &str) -> Result<Reply, Fault> {
    let mut migration = own(visit, id)?;
    if migration.status != "transferring" {
        let text = format!("migration is {}", migration.status);
        return Err(Reply::bare_failure(409, text).refused());
    }
    check_grant(visit, &migration)?;
    conduct(visit, &mut migration)
}

/// What became of a migration, for the peer that sent it and no one else.
pub(super) fn show(visit: &Visit<'_>, id: &str) -> Result<Reply, Fault> {
    let migration = inbound(visit, id, visit.act.rules.migrations.is_shown_to)?;
    let mut data = view::whole(&migration);
    (visit.act.rules.migrations.amend_view)(&mut data);
    Ok(Reply::bare(200, &data))
}

/// Whether a revoked peer may still commit this one (4.3).
pub(super) fn is_in_grace(visit: &Visit<'_>, id: &str) -> Result<bool, StoreError> {
    let migration = table::find::<Migration>(visit.act.db, id)?.filter(|m| m.peer_id == visit.peer.id);
    let covers = visit.act.rules.migrations.grace_covers;
    Ok(migration.is_some_and(|migration| covers(&visit.peer, &migration, visit.act.now)))
}

/// Applies, writes the row, tells the operator and answers.
fn conduct(visit: &Visit<'_>, migration: &mut Migration) -> Result<Reply, Fault> {
    let act = visit.act;
    let result = {
        let plan = Plan { act, peer: &visit.peer, request: &migration.plan };
        (act.rules.migrations.apply)(&plan)
    };
    migration.ended_at = Some(act.now);
    let reply = match result {
        Ok(outcome) => complete(visit, migration, &outcome)?,
        Err(Failure::Failed { message, conflict }) => {
            let conflicts: Vec<_> = conflict.map(|conflict| *conflict).into_iter().collect();
            let outcome = Outcome { conflicts, ..Outcome::default() };
            "failed".clone_into(&mut migration.status);
            migration.conflict_log = (act.rules.migrations.conflict_log_of)(&outcome);
            write_log(visit, migration, "failed", json!({ "error": message }));
            Reply::new(422, view::failed(migration, &message))
        }
        Err(Failure::Crashed) => return Err(Fault::Crashed),
        Err(Failure::Store(error)) => return Err(error.into()),
    };
    (act.rules.migrations.amend_migration)(migration);
    table::put(act.db, migration)?;
    Ok(reply)
}

fn complete(visit: &Visit<'_>, migration: &mut Migration, outcome: &Outcome) -> Result<Reply, Fault> {
    let act = visit.act;
    let rules = &act.rules.migrations;
    "completed".clone_into(&mut migration.status);
    (migration.applied_count, migration.skipped_count) = (rules.claimed)(outcome);
    migration.conflict_log = (rules.conflict_log_of)(outcome);
    if let Some(crossing) = apply::crossing(act, (rules.place_of)(&visit.peer), &(rules.own_place)(act)?) {
        record_crossing(visit, migration, &crossing)?;
    }
    let counts = json!({"applied_count": migration.applied_count, "skipped_count": migration.skipped_count});
    write_log(visit, migration, "completed", counts);
    (rules.at_completion)(act, &visit.peer, migration)?;
    let mut data = view::whole(migration);
    (rules.amend_view)(&mut data);
    Ok(Reply::bare(201, &data))
}

/// The operator is told (8.2), and it stands in the migration's own record (8.3).
fn record_crossing(visit: &Visit<'_>, migration: &mut Migration, crossing: &Value) -> Result<(), StoreError> {
    let rules = &visit.act.rules.migrations;
    if rules.records_crossing {
        migration.metadata.insert("cross_jurisdiction".to_owned(), crossing.clone());
        write_log(visit, migration, "cross_jurisdiction", crossing.clone());
    }
    if !rules.tells_crossing {
        return Ok(());
    }
    let facts = json!({"migration_id": migration.id, "cross_jurisdiction": crossing});
    peering::tell_operator(visit.act, &visit.peer, "migration.cross_residency_boundary", "high", facts)
}

fn opened(visit: &Visit<'_>, plan: MigrationRequest, grant: &Grant) -> Migration {
    Migration {
        id: visit.act.new_id(),
        peer_id: visit.peer.id.clone(),
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
        opened_at: visit.act.now,
        ended_at: None,
    }
}

/// The migration that the caller itself sent.
fn own(visit: &Visit<'_>, id: &str) -> Result<Migration, Fault> {
    inbound(visit, id, |migration, peer_id| migration.peer_id == peer_id)
}

/// A migration that was sent here and that is the caller's business; any other is not there.
fn inbound(visit: &Visit<'_>, id: &str, is_of: fn(&Migration, &str) -> bool) -> Result<Migration, Fault> {
    let found = table::find::<Migration>(visit.act.db, id)?;
    let seen = found.filter(|m| m.direction == Direction::Inbound && is_of(m, &visit.peer.id));
    seen.ok_or_else(|| {
        let target = format!("migrations/{id}");
        Reply::bare_failure(404, "Migration not found").suspecting(visit.refused(&target)).refused()
    })
}

/// A token that comes along is checked; else the grant that the migration was opened under.
fn check_grant(visit: &Visit<'_>, migration: &Migration) -> Result<(), Fault> {
    let wish = wish(&migration.plan, true);
    if visit.call.header(crate::wire::header::AUTHORIZATION).is_some() {
        return grants::check(visit, &wish).map(|_| ());
    }
    let id = migration.grant_id.as_deref().unwrap_or_default();
    let grant = table::find::<Grant>(visit.act.db, id)?;
    match grant {
        Some(grant) => grants::check_standing(visit, &grant, &wish),
        None => Err(Reply::unauthorized("Grant token does not resolve").refused()),
    }
}

fn wish(plan: &MigrationRequest, in_grace: bool) -> Wish<'_> {
    Wish { kind: &plan.root_resource_kind, id: &plan.root_resource_id, scope: Scope::Migrate, in_grace }
}

fn refuse(visit: &Visit<'_>, unsound: Unsound) -> Fault {
    let suspicion = unsound.undeclared_kind.as_deref().and_then(|kind| visit.refused(kind));
    Reply::bare_failure(unsound.status, unsound.text).suspecting(suspicion).refused()
}

fn write_log(visit: &Visit<'_>, migration: &mut Migration, event: &str, mut facts: Value) {
    facts["at"] = json!(visit.act.now.to_string());
    facts["event"] = json!(event);
    facts["federation_peer_id"] = json!(visit.peer.id);
    migration.audit_log.push(facts);
}
