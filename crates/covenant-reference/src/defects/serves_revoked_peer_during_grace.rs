//! The platform serves a revoked peer, with its old certificate, until the grace for its migrations ends.

use crate::Patch;
use crate::inbound::IdentityRules;
use crate::peering::grace_lasts;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "serves-revoked-peer-during-grace",
    &[("11.5", Conduct), ("11.5", Detection)],
    "Serves a peer with its old certificate until the grace for its migrations is over.",
    |policy| {
        policy.identity.is_revoked =
            |peer, now| !grace_lasts(peer, now) && (IdentityRules::default().is_revoked)(peer, now);
        policy.identity.may_call =
            |peer, now| grace_lasts(peer, now) || (IdentityRules::default().may_call)(peer, now);
    },
)
.hard_to_reach();
