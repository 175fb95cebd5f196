//! What is said of a migration on the wire.

use serde_json::{Value, json};

use crate::store::rows::Migration;

/// Of one that was opened.
pub(super) fn short(migration: &Migration) -> Value {
    json!({"migration_id": migration.id, "status": migration.status})
}

/// Of one that was applied, or is asked for.
pub(super) fn whole(migration: &Migration) -> Value {
    json!({
        "migration_id": migration.id, "status": migration.status,
        "applied_count": migration.applied_count, "skipped_count": migration.skipped_count,
        "conflict_log": migration.conflict_log, "metadata": migration.metadata,
    })
}

/// The whole body about one that failed.
pub(super) fn failed(migration: &Migration, error: &str) -> Value {
    json!({
        "error": error, "migration_id": migration.id, "status": migration.status,
        "conflict_log": migration.conflict_log,
    })
}
