//! Commitment 4: notice of revocation.

mod denied_grace_is_reported;
mod grace;
mod notice;
mod open_migrations_have_grace;
mod received_migration_has_grace;
pub(in crate::check) mod revocation;
mod revoked_event_precedes_teardown;
mod revoked_status_precedes_teardown;
mod silent_peer_is_marked;
#[cfg(test)]
mod tests;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<denied_grace_is_reported::DeniedGraceIsReported>(),
    CheckDef::of::<open_migrations_have_grace::OpenMigrationsHaveGrace>(),
    CheckDef::of::<received_migration_has_grace::ReceivedMigrationHasGrace>(),
    CheckDef::of::<revoked_event_precedes_teardown::RevokedEventPrecedesTeardown>(),
    CheckDef::of::<revoked_status_precedes_teardown::RevokedStatusPrecedesTeardown>(),
    CheckDef::of::<silent_peer_is_marked::SilentPeerIsMarked>(),
];
