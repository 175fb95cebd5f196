//! The platform receives data across a boundary, but does not report it to its operator.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-inbound-crossing-event",
    &[("8.2", Conduct)],
    "Takes data across a boundary and does not tell its operator.",
    |policy| policy.migrations.tells_crossing = false,
);
