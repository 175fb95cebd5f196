//! The platform syncs every kind automatically, whatever is declared of it.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-every-kind",
    &[("7.5", Conduct)],
    "Syncs every kind by itself, whatever was declared of it.",
    |policy| policy.out.flows_by_itself = |_, _| true,
);
