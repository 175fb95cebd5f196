//! The platform omits conflicts at the seventh step or later from its log.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-late-conflicts-from-log",
    &[("7.3", Conduct)],
    "Leaves out of its log what conflicts at the seventh step or later.",
    |policy| {
        policy.migrations.conflict_log_of =
            |outcome| outcome.conflicts.iter().filter(|conflict| conflict.step_order < 7).cloned().collect();
    },
)
.hard_to_reach();
