//! Variants of sync.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::method_error::MethodError;
use crate::outbound::{self, CarriedBatch};
use crate::store::facts;
use crate::store::records::Record;
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use crate::{Patch, capabilities};
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
.deciding(&["what carries a batch"])
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
    )
    .deciding(&["who is outside the window"]),
    SYNCS_BY_MIGRATION,
    Patch::variant(
        "marks-what-left-its-filter-as-gone",
        "Syncs a record that left its filter by a change as one that is gone, without its content.",
        |policy| {
            policy.outbound.passes_filter = has_ever_passed;
            policy.outbound.carry_batch = with_marks;
        },
    )
    .deciding(&["what carries a batch"]),
];

/// Returns whether a record passes a filter, or once passed it.
pub(crate) fn has_ever_passed(tx: &Transaction<'_>, filter: &Map<String, Value>, record: &Record) -> bool {
    let name = format!("passed/{}/{}", record.kind, record.id);
    if !capabilities::passes_filter(filter, &record.body) {
        return facts::find(tx.db, &name).is_ok_and(|known| known.is_some());
    }
    // The record passes now, even where that can't be kept for the next time.
    let _ = facts::set(tx.db, &name, &json!(true));
    true
}

/// Returns the batch with a mark in place of each record that is outside the declared filter.
fn with_marks(
    tx: &Transaction<'_>,
    peer: &Peer,
    batch: &SyncBatch,
) -> Result<Option<CarriedBatch>, MethodError> {
    let declared = capabilities::declared(tx, &peer.id)?;
    let of_kind = declared.iter().find(|row| row.resource_kind == batch.resource_kind);
    let filter = of_kind.and_then(|row| row.filter.as_ref());
    let mut batch = batch.clone();
    for record in &mut batch.records {
        if filter.is_some_and(|filter| !capabilities::passes_filter(filter, &record.payload)) {
            record.payload = Map::from_iter([("id".to_owned(), json!(record.id))]);
            record.extra.insert("deleted".to_owned(), json!(true));
        }
    }
    batch.sha256 = SyncBatch::digest(&batch.records);
    outbound::carry_batch(tx, peer, &batch)
}

/// Returns the batch as a plan that overwrites; `None` without a grant for its kind.
pub(crate) fn as_migration(
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
