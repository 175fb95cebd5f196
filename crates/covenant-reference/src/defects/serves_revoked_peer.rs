//! The platform continues to serve a revoked peer, with the peer's old certificate.

use jiff::Timestamp;

use crate::Patch;
use crate::inbound::IdentityRules;
use crate::store::rows::Peer;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-revoked-peer",
    &[("4.3", Conduct), ("11.5", Conduct), ("11.5", Detection)],
    "Goes on serving a peer that was revoked, with its old certificate.",
    |policy| {
        policy.identity.is_revoked = |_, _| false;
        policy.identity.may_call = may_call;
    },
);

fn may_call(peer: &Peer, now: Timestamp) -> bool {
    peer.status == PeerStatus::Revoked || (IdentityRules::default().may_call)(peer, now)
}
