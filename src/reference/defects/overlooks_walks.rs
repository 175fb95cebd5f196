//! Refuses a walk over its inside, and reports none.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-walks",
    &[("6.4", Detection)],
    "Refuses a walk over its inside, and reports none.",
    |policy| policy.watch.is_walk = |_, _| false,
);
