//! The platform never treats a disclosure as late.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-late-disclosure",
    &[("9.1", Detection)],
    "Never finds a disclosure late.",
    |policy| policy.notices.is_late = |_| false,
);
