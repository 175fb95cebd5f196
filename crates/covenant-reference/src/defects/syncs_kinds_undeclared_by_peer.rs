//! The platform syncs all of its kinds to every peer, whether or not the peer accepts them.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-kinds-undeclared-by-peer",
    &[("6.4", Conduct)],
    "Syncs every kind of its own to every peer, whether the peer takes it in or not.",
    |policy| policy.out.is_taken = |_, _| true,
);
