//! An excerpt that never comes is not missed.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-overdue-excerpts",
    &[("5.3", Detection)],
    "Does not notice that an excerpt it asked for is overdue.",
    |policy| policy.out.is_overdue = |_, _| false,
);
