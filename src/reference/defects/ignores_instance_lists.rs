//! Heeds no list of the instances and networks that may call under a grant.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-instance-lists",
    &[("6.4", Detection)],
    "Heeds no list of the instances and networks that may call under a grant.",
    |policy| policy.grants.list_takes = |_, _| true,
);
