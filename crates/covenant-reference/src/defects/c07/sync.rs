//! Defects against 7.5: no sync of what is for migration only.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use crate::Patch;
use crate::capabilities;
use crate::inbound::sync;
use crate::method_error::MethodError;
use crate::outbound::{self, CarriedBatch};
use crate::platform::Platform;
use crate::store::rows::{Capability, Direction, Migration, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use crate::variants::sync::{SYNCS_BY_MIGRATION, as_migration};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::operator::migration::SendMigration;
use covenant_model::wire::migration::operation;
use covenant_model::wire::notice::finding;
use covenant_model::wire::sync::SyncBatch;

/// Defects in automatic sync, and in its detection.
pub(in crate::defects) const AUTOMATIC: &[Patch] = &[
    Patch::defect(
        "accepts-sync-of-migration-only-kind",
        &[("7.5", Detection)],
        "Accepts a sync of a kind that it declared for migration only.",
        |policy| {
            policy.sync.admits_records = |row| row.direction == "migration_only" || sync::admits_records(row);
        },
    ),
    Patch::defect(
        "accepts-sync-of-what-migrates-from-one-peer",
        &[("7.5", Detection)],
        "Accepts a sync of a kind that it declared for migration only to one peer, and for sync to all.",
        |policy| policy.sync.find_row = find_general_row,
    )
    .hard_to_reach(),
    Patch::defect(
        "syncs-migration-only-on-auto-policy",
        &[("7.5", Conduct)],
        "Syncs migration-only kinds that have an automatic policy.",
        |policy| policy.outbound.syncs_automatically = |row, _| row.policy.starts_with("auto_"),
    ),
    Patch::defect(
        "syncs-migration-only-kinds-in-sweeps",
        &[("7.5", Conduct)],
        "Syncs migration-only kinds in each sweep, and in none of its timers.",
        |policy| policy.outbound.flows_in_sweeps = |_| true,
    ),
    Patch::defect(
        "syncs-migration-only-periodically",
        &[("7.5", Conduct)],
        "Syncs migration-only kinds whose policy is periodic.",
        |policy| policy.outbound.syncs_automatically = |row, _| row.policy == "auto_periodic",
    ),
    Patch::defect(
        "syncs-migration-only-on-filter-match",
        &[("7.5", Conduct)],
        "Syncs migration-only kinds whose policy is to sync on a match.",
        |policy| policy.outbound.syncs_automatically = |row, _| row.policy == "on_match_filter",
    ),
    Patch::defect(
        "syncs-migration-only-after-15-minutes",
        &[("7.5", Conduct)],
        "Syncs migration-only kinds to its peers 15 minutes after their enrolment.",
        |policy| {
            policy.outbound.syncs_automatically =
                |row, enrolled_for| row.direction == "migration_only" && enrolled_for >= QUARTER;
        },
    ),
    Patch::defect(
        "resends-duplicated-records",
        &[("7.5", Conduct)],
        "Sends duplicated records again without a request.",
        |policy| policy.outbound.on_timers = Some(|platform| Box::pin(resend_duplicates(platform))),
    ),
    Patch::defect(
        "omits-sync-after-migration-finding",
        &[("7.5", Detection)],
        "Refuses a sync of a migration-only kind, but reports no finding.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::SYNC_AFTER_MIGRATION,
    ),
];

/// Defects in the choice of the kinds to sync.
pub(in crate::defects) const DECLARED: &[Patch] = &[
    Patch::defect(
        "syncs-migration-only-kinds",
        &[("7.5", Conduct)],
        "Syncs kinds that are declared for migration only.",
        |policy| {
            policy.outbound.syncs_automatically = |row, _| row.direction == "migration_only";
        },
    ),
    Patch::defect(
        "syncs-kinds-that-the-peer-migrates",
        &[("7.5", Conduct)],
        "Syncs a kind that it declares for sync to a peer that declares it for migration only.",
        |policy| {
            policy.outbound.accepts_kind = |peer, kind| {
                let rows = peer.capabilities["resource_kinds"].as_array();
                let mut of_kind = rows.into_iter().flatten().filter(|row| row["kind"] == kind);
                outbound::accepts_kind(peer, kind) || of_kind.any(|row| row["direction"] == "migration_only")
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "syncs-every-kind",
        &[("7.5", Conduct)],
        "Syncs every kind automatically, whatever is declared of it.",
        |policy| policy.outbound.syncs_automatically = |_, _| true,
    ),
    Patch::defect(
        "migrates-migration-only-kinds-again",
        &[("7.5", Conduct)],
        "Without a sync, sends each record of a kind that is for migration only again when one changes.",
        |policy| policy.outbound.syncs_automatically = |row, _| row.direction == "migration_only",
    )
    .on(&SYNCS_BY_MIGRATION),
    Patch::defect(
        "migrates-migration-only-kinds-periodically",
        &[("7.5", Conduct)],
        "Without a sync, sends migration-only kinds again if their policy is automatic.",
        |policy| policy.outbound.syncs_automatically = |row, _| row.policy.starts_with("auto_"),
    )
    .on(&SYNCS_BY_MIGRATION),
    Patch::defect(
        "syncs-migration-only-kinds-to-other-peers",
        &[("7.5", Conduct)],
        "Syncs kinds that are for migration only to the peers with which no record of them was migrated.",
        |policy| {
            policy.outbound.syncs_automatically = |row, _| row.direction == "migration_only";
            policy.outbound.carry_batch = carry_to_others;
        },
    ),
    Patch::defect(
        "migrates-migration-only-kinds-to-other-peers",
        &[("7.5", Conduct)],
        "Without a sync, sends kinds that are for migration only to the peers with which no record of them was migrated.",
        |policy| {
            policy.outbound.syncs_automatically = |row, _| row.direction == "migration_only";
            policy.outbound.carry_batch = migrate_to_others;
        },
    )
    .on(&SYNCS_BY_MIGRATION),
];

/// Time since the enrolment after which the sync starts.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// Metadata member that marks a migration as followed up.
const FOLLOWED_UP: &str = "followed_up";

fn find_general_row(
    tx: &Transaction<'_>,
    peer_id: &str,
    kind: &str,
) -> Result<Option<Capability>, StoreError> {
    let mut rows: Vec<Capability> = table::all(tx.db)?;
    rows.retain(|row| row.peer_id.is_none() && row.resource_kind == kind);
    let general = rows.into_iter().next();
    general.map_or_else(|| capabilities::row(tx, peer_id, kind), |row| Ok(Some(row)))
}

/// Carries a batch, but nothing of a kind that was migrated with the peer.
fn carry_to_others(
    tx: &Transaction<'_>,
    peer: &Peer,
    batch: &SyncBatch,
) -> Result<Option<CarriedBatch>, MethodError> {
    let is_left_out = was_migrated(tx, peer, &batch.resource_kind)?;
    if is_left_out { Ok(None) } else { outbound::carry_batch(tx, peer, batch) }
}

fn migrate_to_others(
    tx: &Transaction<'_>,
    peer: &Peer,
    batch: &SyncBatch,
) -> Result<Option<CarriedBatch>, MethodError> {
    let is_left_out = was_migrated(tx, peer, &batch.resource_kind)?;
    if is_left_out { Ok(None) } else { as_migration(tx, peer, batch) }
}

/// Returns whether a record of a kind that is for migration only was migrated with a peer, in either direction.
fn was_migrated(tx: &Transaction<'_>, peer: &Peer, kind: &str) -> Result<bool, StoreError> {
    let row = capabilities::row(tx, &peer.id, kind)?;
    let is_for_migration = row.is_some_and(|row| row.direction == "migration_only");
    let migrations: Vec<Migration> = table::all(tx.db)?;
    let has_kind = |migration: &Migration| migration.plan.steps.iter().any(|step| step.resource_kind == kind);
    Ok(is_for_migration
        && migrations.iter().any(|migration| migration.peer_id == peer.id && has_kind(migration)))
}

async fn resend_duplicates(platform: Arc<Platform>) {
    let due = platform.transaction::<_, MethodError>(|tx| {
        let mut due: Vec<Migration> = table::all(tx.db)?;
        due.retain(|migration| {
            let is_copy = migration.plan.operation == operation::DUPLICATE;
            let is_sent = migration.direction == Direction::Outbound && migration.status == "completed";
            is_copy && is_sent && !migration.metadata.contains_key(FOLLOWED_UP)
        });
        for migration in &mut due {
            migration.metadata.insert(FOLLOWED_UP.to_owned(), json!(true));
            table::put(tx.db, migration)?;
        }
        Ok(due.iter().filter_map(repeated_order).collect::<Vec<_>>())
    });
    for order in due.unwrap_or_default() {
        // An unreachable peer gets nothing.
        let _ = outbound::send_migration(&platform, order).await;
    }
}

fn repeated_order(migration: &Migration) -> Option<SendMigration> {
    let source = migration.plan.steps.last()?.payload.get("metadata")?["duplicated_from"].as_str()?;
    Some(SendMigration {
        peer_id: migration.peer_id.clone(),
        operation: operation::DUPLICATE.to_owned(),
        root_resource_kind: migration.plan.root_resource_kind.clone(),
        root_resource_id: source.to_owned(),
        bearer_token: None,
        commit: None,
    })
}
