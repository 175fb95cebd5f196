//! The platform keeps the overlay addresses of a peer that revokes the peering.

use crate::Patch;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-overlay-of-revoking-peer",
    &[("11.4", Conduct)],
    "Unmounts the overlay of a peer that it revokes, and keeps that of a peer that leaves.",
    |policy| policy.peering.unmounts = |peer, _| peer.revoked_by == Some(Side::Local),
);
