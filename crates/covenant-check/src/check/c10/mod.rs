//! Commitment 10: backwards compatibility.

mod announcement;
mod compatible_versions_are_joined;
mod compatible_versions_federate;
mod deprecation_announced;
mod drift_is_reported;
#[cfg(test)]
mod fixture;
mod handshake;
mod incompatible_versions_do_not_sync;
mod major_break_follows_30_day_notice;
mod no_sync_to_incompatible_version;
mod service;
mod short_notice_is_reported;

pub(super) use compatible_versions_are_joined::CompatibleVersionsAreJoined;
pub(super) use compatible_versions_federate::CompatibleVersionsFederate;
pub(super) use deprecation_announced::DeprecationAnnounced;
pub(super) use drift_is_reported::DriftIsReported;
pub(super) use incompatible_versions_do_not_sync::IncompatibleVersionsDoNotSync;
pub(super) use major_break_follows_30_day_notice::MajorBreakFollows30DayNotice;
pub(super) use no_sync_to_incompatible_version::NoSyncToIncompatibleVersion;
pub(super) use short_notice_is_reported::ShortNoticeIsReported;
