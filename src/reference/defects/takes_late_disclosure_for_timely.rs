//! Never finds a disclosure late.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-late-disclosure-for-timely",
    &[("9.1", Detection)],
    "Never finds a disclosure late.",
    |policy| policy.notices.is_late = |_| false,
);
