//! Sends data across a boundary and does not tell its operator.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "sends-across-without-telling",
    &[("8.2", Conduct)],
    "Sends data across a boundary and does not tell its operator.",
    |rules| rules.out.tells_crossing = false,
)
.deep();
