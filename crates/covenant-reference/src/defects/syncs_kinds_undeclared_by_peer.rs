//! Syncs every kind of its own to every peer, whether the peer takes it in or not.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-kinds-undeclared-by-peer",
    &[("6.4", Conduct)],
    "Syncs every kind of its own to every peer, whether the peer takes it in or not.",
    |policy| policy.out.is_taken = |_, _| true,
);
