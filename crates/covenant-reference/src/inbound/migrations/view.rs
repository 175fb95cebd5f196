//! The wire form of a migration.

use serde_json::{Value, json};

use crate::store::rows::Migration;

/// Returns the view of an open migration.
pub(super) fn short(migration: &Migration) -> Value {
    json!({"migration_id": migration.id, "status": migration.status})
}

/// Returns the view of a migration that was applied or is requested.
pub(super) fn completed(migration: &Migration) -> Value {
    json!({
        "migration_id": migration.id, "status": migration.status,
        "applied_count": migration.applied_count, "skipped_count": migration.skipped_count,
        "conflict_log": migration.conflict_log, "metadata": migration.metadata,
    })
}

/// Returns the full body for a failed migration.
pub(super) fn failed(migration: &Migration, error: &str) -> Value {
    json!({
        "error": error, "migration_id": migration.id, "status": migration.status,
        "conflict_log": migration.conflict_log,
    })
}
