//! The platform expects a revoking peer to grant six minutes of grace.

use jiff::SignedDuration;

use crate::Patch;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-rejection-just-after-grace",
    &[("4.3", Detection)],
    "Reports a peer that left for refusing what was in flight up to a minute after the grace.",
    |policy| {
        policy.out.cuts_grace = |peer, now, called| {
            let grace = SignedDuration::from_mins(6);
            let is_owed = peer.revoked_at.is_some_and(|at| now.duration_since(at) < grace);
            peer.revoked_by == Some(Side::Remote) && is_owed && called.is_refused()
        };
    },
);
