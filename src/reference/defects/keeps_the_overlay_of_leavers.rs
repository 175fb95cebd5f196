//! Keeps the overlay addresses of a peer that leaves by itself.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::store::rows::Side;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-the-overlay-of-leavers",
    &[("11.4", Conduct)],
    "Unmounts the overlay of a peer that it revokes, and keeps that of a peer that leaves.",
    |policy| policy.peering.unmounts = |peer, _| peer.revoked_by == Some(Side::Local),
);
