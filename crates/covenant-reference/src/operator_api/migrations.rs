//! `migration.show`, `migration.list`, `migration.delete`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::platform::Platform;
use crate::store::rows::Migration;
use crate::store::table;

#[derive(Deserialize)]
struct Named {
    migration_id: String,
}

#[derive(Deserialize)]
struct List {
    peer_id: Option<String>,
}

/// `migration.show`: returns the row's members at the top level, and again under `migration`.
pub(super) fn show(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.transaction(|tx| {
        let migration = table::find::<Migration>(tx.db, &given.migration_id)?;
        let migration = migration.ok_or_else(|| MethodError::not_found("migration", &given.migration_id))?;
        let mut shown = shown(&migration);
        shown["migration"] = shown.clone();
        Ok(shown)
    })
}

/// `migration.list`
pub(super) fn list(platform: &Platform, given: Value) -> Answer {
    let given: List = parameters(given)?;
    platform.transaction(|tx| {
        let migrations: Vec<Migration> = match &given.peer_id {
            Some(peer_id) => table::of_peer(tx.db, peer_id)?,
            None => table::all(tx.db)?,
        };
        Ok(json!({"migrations": migrations.iter().map(shown).collect::<Vec<_>>()}))
    })
}

/// `migration.delete`: deletes the migration's row. The migrated records stay (11.2).
pub(super) fn delete(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.transaction(|tx| {
        if table::remove::<Migration>(tx.db, &given.migration_id)? {
            return Ok(json!({}));
        }
        Err(MethodError::not_found("migration", &given.migration_id))
    })
}

fn shown(migration: &Migration) -> Value {
    json!({
        "migration_id": migration.id, "peer_id": migration.peer_id, "direction": migration.direction,
        "remote_migration_id": migration.remote_migration_id, "operation": migration.plan.operation,
        "root_resource_kind": migration.plan.root_resource_kind,
        "root_resource_id": migration.plan.root_resource_id, "plan_summary": migration.plan.plan_summary,
        "steps": migration.plan.steps, "status": migration.status,
        "applied_count": migration.applied_count, "skipped_count": migration.skipped_count,
        "conflict_log": migration.conflict_log, "audit_log": migration.audit_log,
        "metadata": migration.metadata, "opened_at": migration.opened_at, "ended_at": migration.ended_at,
    })
}
