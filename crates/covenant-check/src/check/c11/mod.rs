//! Commitment 11: the right of exit.

mod imported;
mod listed_entries_remain;
pub(super) mod lists;
mod no_remote_deletion_on_revocation;
mod operator_can_revoke;
mod overlay_unmounted;
mod rejected_after_revocation_notice;
mod revocation_by_peer_is_honoured;
mod revoked;
mod revoked_peers_are_rejected;
pub(super) mod row;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<listed_entries_remain::ListedEntriesRemain>(),
    CheckDef::of::<no_remote_deletion_on_revocation::NoRemoteDeletionOnRevocation>(),
    CheckDef::of::<operator_can_revoke::OperatorCanRevoke>(),
    CheckDef::of::<overlay_unmounted::OverlayUnmounted>(),
    CheckDef::of::<rejected_after_revocation_notice::RejectedAfterRevocationNotice>(),
    CheckDef::of::<revocation_by_peer_is_honoured::RevocationByPeerIsHonoured>(),
    CheckDef::of::<revoked_peers_are_rejected::RevokedPeersAreRejected>(),
];
