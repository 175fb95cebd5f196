//! `migration.*`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::Migration;
use crate::store::table;
use covenant_model::operator::migration::{Commit, Delete, List, MigrationMethod, Show};

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: MigrationMethod, given: Value) -> Answer {
    match method {
        MigrationMethod::SendMigration => outbound::send_migration(platform, parameters(given)?).await,
        MigrationMethod::Commit => commit(platform, &parameters(given)?).await,
        MigrationMethod::Show => show(platform, &parameters(given)?),
        MigrationMethod::List => list(platform, &parameters(given)?),
        MigrationMethod::Delete => delete(platform, &parameters(given)?),
    }
}

/// `migration.commit`
async fn commit(platform: &Arc<Platform>, given: &Commit) -> Answer {
    outbound::commit_migration(platform, &given.migration_id).await
}

/// `migration.show`: returns the row's members at the top level, and again under `migration`.
fn show(platform: &Platform, given: &Show) -> Answer {
    platform.transaction(|tx| {
        let migration = table::find::<Migration>(tx.db, &given.migration_id)?;
        let migration = migration.ok_or_else(|| MethodError::not_found("migration", &given.migration_id))?;
        let mut shown = shown(&migration);
        shown["migration"] = shown.clone();
        Ok(shown)
    })
}

/// `migration.list`
fn list(platform: &Platform, given: &List) -> Answer {
    platform.transaction(|tx| {
        let migrations: Vec<Migration> = match &given.peer_id {
            Some(peer_id) => table::of_peer(tx.db, peer_id)?,
            None => table::all(tx.db)?,
        };
        Ok(json!({"migrations": migrations.iter().map(shown).collect::<Vec<_>>()}))
    })
}

/// `migration.delete`: deletes the migration's row. The migrated records stay (11.2).
fn delete(platform: &Platform, given: &Delete) -> Answer {
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
