//! The platform counts skipped steps as applied.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "counts-skipped-steps-as-applied",
    &[("7.2", Conduct)],
    "Counts what it skipped among what it applied.",
    |policy| policy.migrations.claimed = |outcome| (outcome.applied + outcome.skipped, 0),
);
