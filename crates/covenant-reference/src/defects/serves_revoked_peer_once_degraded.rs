//! The platform shows a degraded peer as revoked, but continues to serve it.

use crate::Patch;
use crate::inbound::IdentityRules;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-revoked-peer-once-degraded",
    &[("4.3", Conduct), ("11.5", Conduct)],
    "Shows a peer that was degraded when the peering ended as revoked, and goes on serving it.",
    |policy| {
        policy.peering.revokes_certificate = |peer| peer.status != PeerStatus::Degraded;
        policy.identity.may_call = |peer, now| {
            let is_forgotten = peer.status == PeerStatus::Revoked && peer.certificate_revoked_at.is_none();
            is_forgotten || (IdentityRules::default().may_call)(peer, now)
        };
    },
);
