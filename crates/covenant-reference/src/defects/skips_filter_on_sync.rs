//! The platform applies its filter to reads, but syncs records outside it.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "skips-filter-on-sync",
    &[("3.3", Conduct)],
    "Applies its filter to what is read, and syncs what lies outside it.",
    |policy| policy.out.passes_filter = |_, _| true,
);
