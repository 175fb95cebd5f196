//! The platform continues to serve a peer that its operator revoked, with the peer's old certificate.

use crate::Patch;
use crate::inbound::IdentityRules;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-operator-revoked-peer",
    &[("4.3", Conduct), ("11.5", Conduct)],
    "Goes on serving a peer that its operator dismissed, with its old certificate.",
    |policy| {
        policy.identity.is_revoked = |peer, _| peer.revoked_by == Some(Side::Remote);
        policy.identity.may_call = |peer, now| {
            peer.revoked_by == Some(Side::Local) || (IdentityRules::default().may_call)(peer, now)
        };
    },
);
