//! The platform does not report an excerpt that never arrives.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-overdue-excerpts",
    &[("5.3", Detection)],
    "Does not notice that an excerpt it asked for is overdue.",
    |policy| policy.out.is_overdue = |_, _| false,
);
