//! The platform declares a filter, but shows records outside it.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "declares-a-filter-it-ignores",
    &[("3.3", Conduct)],
    "Declares a filter, and shows what lies outside it.",
    |policy| policy.capabilities.passes_filter = |_, _| true,
);
