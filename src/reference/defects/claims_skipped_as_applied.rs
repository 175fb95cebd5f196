//! Counts what it skipped among what it applied.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "claims-skipped-as-applied",
    &[("7.2", Conduct)],
    "Counts what it skipped among what it applied.",
    |rules| rules.migrations.claimed = |outcome| (outcome.applied + outcome.skipped, 0),
);
