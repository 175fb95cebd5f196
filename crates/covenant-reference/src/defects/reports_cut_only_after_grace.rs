//! The platform treats the grace as over from the moment at which the peer revokes.

use crate::Patch;
use crate::peering::GRACE;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-cut-only-after-grace",
    &[("4.3", Detection)],
    "Reports a migration in flight as cut off only where it is refused after the grace.",
    |policy| {
        policy.out.cuts_grace = |peer, now, called| {
            let is_over = peer.revoked_at.is_some_and(|at| now.duration_since(at) >= GRACE);
            is_over && called.is_refused()
        };
    },
);
