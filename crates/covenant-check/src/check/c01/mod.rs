//! Commitment 1: identity disclosure.

mod anonymous_peer_is_not_enrolled;
mod anonymous_peer_is_not_joined;
mod disclosure;
mod disclosure_member_is_sent;
mod release_is_current;
mod reported_status;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<anonymous_peer_is_not_enrolled::AnonymousPeerIsNotEnrolled>(),
    CheckDef::of::<anonymous_peer_is_not_joined::AnonymousPeerIsNotJoined>(),
    CheckDef::of::<disclosure_member_is_sent::DisclosureMemberIsSent>(),
    CheckDef::of::<release_is_current::ReleaseIsCurrent>(),
];
