//! Commitment 1: identity disclosure.

mod anonymous_peer_is_not_enrolled;
mod anonymous_peer_is_not_joined;
mod disclosure;
mod disclosure_member_is_sent;
mod reported_status;

pub(super) use anonymous_peer_is_not_enrolled::AnonymousPeerIsNotEnrolled;
pub(super) use anonymous_peer_is_not_joined::AnonymousPeerIsNotJoined;
pub(super) use disclosure_member_is_sent::DisclosureMemberIsSent;
