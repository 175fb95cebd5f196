//! Commitment 4: notice of revocation.

mod denied_grace_is_reported;
mod grace;
mod notice;
mod open_migrations_have_grace;
mod revocation;
mod revoked_event_precedes_teardown;
mod revoked_status_precedes_teardown;
mod silent_peer_is_marked;
#[cfg(test)]
mod tests;

pub(super) use denied_grace_is_reported::DeniedGraceIsReported;
pub(super) use open_migrations_have_grace::OpenMigrationsHaveGrace;
pub(super) use revoked_event_precedes_teardown::RevokedEventPrecedesTeardown;
pub(super) use revoked_status_precedes_teardown::RevokedStatusPrecedesTeardown;
pub(super) use silent_peer_is_marked::SilentPeerIsMarked;
