//! The platform reports a drift of every peer that declares a filter and syncs, whatever it syncs.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-drift-of-every-filtered-sync",
    &[("3.4", Detection)],
    "Holds a drift against every peer that declares a filter and syncs, whatever it syncs.",
    |policy| policy.sync.keeps_own_filter = |peer, _| !peer.capabilities.to_string().contains("\"filter\""),
);
