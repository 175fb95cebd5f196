//! Leaves the first conflict out of its log.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "hides-a-conflict",
    &[("7.3", Conduct)],
    "Leaves the first conflict out of its log.",
    |rules| rules.migrations.conflict_log_of = |outcome| outcome.conflicts.iter().skip(1).cloned().collect(),
);
