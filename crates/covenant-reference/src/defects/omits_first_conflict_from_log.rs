//! The platform omits the first conflict from its log.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-first-conflict-from-log",
    &[("7.3", Conduct)],
    "Leaves the first conflict out of its log.",
    |policy| {
        policy.migrations.conflict_log_of = |outcome| outcome.conflicts.iter().skip(1).cloned().collect();
    },
);
