//! Holds a drift against every peer that declares a filter and syncs, whatever it syncs.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "suspects-every-stream",
    &[("3.4", Detection)],
    "Holds a drift against every peer that declares a filter and syncs, whatever it syncs.",
    |rules| rules.sync.keeps_own_filter = |peer, _| !peer.capabilities.to_string().contains("\"filter\""),
);
