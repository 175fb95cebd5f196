//! Serves a peer with its old certificate until the grace for its migrations is over.

use crate::contract::Face::{Conduct, Detection};
use crate::reference::Patch;
use crate::reference::peering::grace_lasts;
use crate::reference::serve::IdentityRules;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-on-through-the-grace",
    &[("11.5", Conduct), ("11.5", Detection)],
    "Serves a peer with its old certificate until the grace for its migrations is over.",
    |rules| {
        rules.identity.is_revoked =
            |peer, now| !grace_lasts(peer, now) && (IdentityRules::default().is_revoked)(peer, now);
        rules.identity.may_call =
            |peer, now| grace_lasts(peer, now) || (IdentityRules::default().may_call)(peer, now);
    },
)
.deep();
