//! The platform expects a revoking peer to grant only four minutes of grace.

use jiff::SignedDuration;

use crate::Patch;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "expects-four-minutes-of-grace",
    &[("4.3", Detection)],
    "Lets a peer that left refuse what was in flight once four minutes are over.",
    |policy| {
        policy.out.cuts_grace = |peer, now, called| {
            let grace = SignedDuration::from_mins(4);
            let is_owed = peer.revoked_at.is_some_and(|at| now.duration_since(at) < grace);
            peer.revoked_by == Some(Side::Remote) && is_owed && called.is_refused()
        };
    },
);
