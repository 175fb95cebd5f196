//! The platform continues to serve a peer that revoked, with the peer's old certificate.

use crate::Patch;
use crate::inbound::IdentityRules;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "serves-self-revoked-peer",
    &[("4.3", Conduct), ("11.5", Detection)],
    "Goes on serving a peer that left, with its old certificate.",
    |policy| {
        policy.identity.is_revoked = |peer, _| peer.revoked_by == Some(Side::Local);
        policy.identity.may_call = |peer, now| {
            peer.revoked_by == Some(Side::Remote) || (IdentityRules::default().may_call)(peer, now)
        };
    },
)
.hard_to_reach();
