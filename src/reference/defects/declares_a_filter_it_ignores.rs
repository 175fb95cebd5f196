//! Declares a filter, and shows what lies outside it.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "declares-a-filter-it-ignores",
    &[("3.3", Conduct)],
    "Declares a filter, and shows what lies outside it.",
    |policy| policy.capabilities.passes_filter = |_, _| true,
);
