//! Hears that a suspended peer leaves, and keeps it.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-the-suspended-in",
    &[("11.1", Detection)],
    "Hears that a suspended peer leaves, and keeps it.",
    |rules| rules.notices.honours_leave = |peer| peer.status != PeerStatus::Suspended,
);
