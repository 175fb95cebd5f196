//! Commitment 7: migration hygiene.

mod conflicts_are_reported;
mod ids_are_preserved;
mod migration;
mod migration_claims_match_records;
mod migration_is_atomic;
#[cfg(test)]
mod migration_traces;
mod no_sync_after_migration;
mod originals_kept;

pub(super) use conflicts_are_reported::ConflictsAreReported;
pub(super) use ids_are_preserved::IdsArePreserved;
pub(super) use migration_claims_match_records::MigrationClaimsMatchRecords;
pub(super) use migration_is_atomic::MigrationIsAtomic;
pub(super) use no_sync_after_migration::NoSyncAfterMigration;
pub(super) use originals_kept::OriginalsKept;
