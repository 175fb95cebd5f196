//! Variants of sync.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::method_error::MethodError;
use crate::outbound::{self, CarriedBatch};
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use covenant_model::operator::INTERNAL;
use covenant_model::wire::migration::{MigrationRequest, Step, action, operation, policy};
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::{SyncBatch, SyncRecord};

/// The flows of a platform of the observed wire, which has no sync.
pub(crate) const SYNCS_BY_MIGRATION: Patch = Patch::variant(
    "syncs-by-migration",
    "Sends what its declarations share as migrations, under the grants that it holds, and no batch.",
    |policy| policy.outbound.carry_batch = as_migration,
)
.leaving_unproven(&[
    "03-truthful-capabilities/declared-filter-is-applied#1",
    "03-truthful-capabilities/declared-filter-is-applied-again-with-the-same-peers#1",
    "06-no-undermining/sync-streams-are-intact#1",
]);

/// Variants in the acceptance of batches.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant(
        "ignores-replayed-batches",
        "Skips a replayed batch, and repeats its earlier response.",
        |policy| {
            policy.sync.skips_replay = |stream, batch| {
                stream.is_some_and(|stream| position(&batch.cursor.from) < position(&stream.cursor))
            };
        },
    ),
    Patch::variant(
        "ignores-payload-id-on-sync",
        "Stores a synced record under the record's own id, whatever id its payload names.",
        |policy| policy.sync.ids_match = |_| true,
    ),
    Patch::variant(
        "serves-peers-outside-the-window",
        "Reports a peer of an incompatible version, and syncs with it all the same.",
        |policy| {
            policy.sync.freezes = |_, _| Ok(false);
            policy.outbound.freezes = |_| false;
        },
    ),
    SYNCS_BY_MIGRATION,
];

/// Returns the batch as a plan that overwrites; `None` without a grant for its kind.
fn as_migration(
    tx: &Transaction<'_>,
    peer: &Peer,
    batch: &SyncBatch,
) -> Result<Option<CarriedBatch>, MethodError> {
    let kind = &batch.resource_kind;
    let Some(grant) = outbound::held(tx, &peer.id, kind, "migrate")? else { return Ok(None) };
    let Some(root) = batch.records.first() else { return Ok(None) };
    let plan = MigrationRequest {
        operation: operation::MIGRATE.to_owned(),
        root_resource_kind: kind.clone(),
        root_resource_id: root.id.clone(),
        plan_summary: Map::new(),
        steps: (1..).zip(&batch.records).map(|(order, record)| step(order, kind, record)).collect(),
        commit: None,
        extra: BTreeMap::new(),
    };
    let body = serde_json::to_value(plan).map_err(|error| MethodError::new(INTERNAL, error.to_string()))?;
    Ok(Some(CarriedBatch { route: Route::Migrations, body, token: Some(grant.bearer_token) }))
}

fn step(step_order: i64, kind: &str, record: &SyncRecord) -> Step {
    let mut payload = record.payload.clone();
    payload.insert("id".to_owned(), json!(record.id));
    Step {
        step_order,
        resource_kind: kind.to_owned(),
        resource_id: record.id.clone(),
        action: action::CREATE.to_owned(),
        conflict_policy: Some(policy::OVERWRITE.to_owned()),
        payload,
        metadata: Map::new(),
        extra: BTreeMap::new(),
    }
}

fn position(cursor: &Value) -> Option<u64> {
    cursor.as_str()?.parse().ok()
}
