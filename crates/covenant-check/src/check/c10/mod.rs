//! Commitment 10: backwards compatibility.

mod announcement;
mod compatibility_is_answered;
mod compatible_peers_are_called;
mod compatible_versions_are_joined;
mod compatible_versions_federate;
mod deprecation_announced;
mod drift_is_reported;
#[cfg(test)]
mod fixture;
mod handshake;
mod incompatible_peers_crash_nothing;
mod major_break_follows_30_day_notice;
mod service;
mod short_notice_is_reported;

pub(super) use handshake::{is_compatible, version_in};

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<compatibility_is_answered::CompatibilityIsAnswered>(),
    CheckDef::of::<compatible_peers_are_called::CompatiblePeersAreCalled>(),
    CheckDef::of::<compatible_versions_are_joined::CompatibleVersionsAreJoined>(),
    CheckDef::of::<compatible_versions_federate::CompatibleVersionsFederate>(),
    CheckDef::of::<deprecation_announced::DeprecationAnnounced>(),
    CheckDef::of::<drift_is_reported::DriftIsReported>(),
    CheckDef::of::<incompatible_peers_crash_nothing::IncompatiblePeersCrashNothing>(),
    CheckDef::of::<major_break_follows_30_day_notice::MajorBreakFollows30DayNotice>(),
    CheckDef::of::<short_notice_is_reported::ShortNoticeIsReported>(),
];
