//! The platform sends data across a boundary, but does not report it to its operator.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-outbound-crossing-event",
    &[("8.2", Conduct)],
    "Sends data across a boundary and does not tell its operator.",
    |policy| policy.out.tells_crossing = false,
)
.hard_to_reach();
