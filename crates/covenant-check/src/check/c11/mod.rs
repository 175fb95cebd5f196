//! Commitment 11: the right of exit.

mod imported;
mod listed_entries_remain;
mod lists;
mod no_remote_deletion_on_revocation;
mod operator_can_revoke;
mod overlay_unmounted;
mod rejected_after_revocation_notice;
mod revocation_by_peer_is_honoured;
mod revoked;
mod revoked_peers_are_rejected;
mod row;

pub(super) use listed_entries_remain::ListedEntriesRemain;
pub(super) use no_remote_deletion_on_revocation::NoRemoteDeletionOnRevocation;
pub(super) use operator_can_revoke::OperatorCanRevoke;
pub(super) use overlay_unmounted::OverlayUnmounted;
pub(super) use rejected_after_revocation_notice::RejectedAfterRevocationNotice;
pub(super) use revocation_by_peer_is_honoured::RevocationByPeerIsHonoured;
pub(super) use revoked_peers_are_rejected::RevokedPeersAreRejected;
