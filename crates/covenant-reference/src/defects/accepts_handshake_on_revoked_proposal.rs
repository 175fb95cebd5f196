//! The platform lets a peer accept a proposal that the operator has revoked.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-handshake-on-revoked-proposal",
    &[("11.1", Conduct)],
    "Lets a peer accept a proposal that its operator has revoked.",
    |policy| {
        policy.handshake.may_be_accepted =
            |peer| matches!(peer.status, PeerStatus::Proposed | PeerStatus::Revoked);
    },
);
