//! Commitment 7: migration hygiene.

mod conflicts_are_reported;
mod content_is_stored_as_sent;
mod failed_migration_is_ended;
mod ids_are_preserved;
mod long_texts_are_whole;
mod migration;
mod migration_claims_match_records;
mod migration_is_atomic;
#[cfg(test)]
mod migration_traces;
mod no_sync_after_migration;
mod opened_plans_wait;
mod originals_kept;
mod steps_apply_in_order;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<conflicts_are_reported::ConflictsAreReported>(),
    CheckDef::of::<content_is_stored_as_sent::ContentIsStoredAsSent>(),
    CheckDef::of::<failed_migration_is_ended::FailedMigrationIsEnded>(),
    CheckDef::of::<ids_are_preserved::IdsArePreserved>(),
    CheckDef::of::<long_texts_are_whole::LongTextsAreWhole>(),
    CheckDef::of::<migration_claims_match_records::MigrationClaimsMatchRecords>(),
    CheckDef::of::<migration_is_atomic::MigrationIsAtomic>(),
    CheckDef::of::<no_sync_after_migration::NoSyncAfterMigration>(),
    CheckDef::of::<opened_plans_wait::OpenedPlansWait>(),
    CheckDef::of::<originals_kept::OriginalsKept>(),
    CheckDef::of::<steps_apply_in_order::StepsApplyInOrder>(),
];
