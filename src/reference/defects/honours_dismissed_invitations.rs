//! Lets a peer accept a proposal that its operator has revoked.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "honours-dismissed-invitations",
    &[("11.1", Conduct)],
    "Lets a peer accept a proposal that its operator has revoked.",
    |rules| {
        rules.handshake.may_be_accepted =
            |peer| matches!(peer.status, PeerStatus::Proposed | PeerStatus::Revoked);
    },
);
