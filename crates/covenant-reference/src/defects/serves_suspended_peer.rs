//! The platform marks a peer as suspended, but continues to serve it.

use crate::Patch;
use crate::inbound::IdentityRules;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-suspended-peer",
    &[("9.2", Detection), ("E.2", Detection)],
    "Calls a peer suspended, and goes on serving it.",
    |policy| {
        policy.identity.may_call = |peer, now| {
            (IdentityRules::default().may_call)(peer, now) || peer.status == PeerStatus::Suspended
        };
    },
);
