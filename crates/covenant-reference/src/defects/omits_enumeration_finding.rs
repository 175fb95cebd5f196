//! The platform refuses enumeration, but reports no finding.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-enumeration-finding",
    &[("6.4", Detection)],
    "Refuses a walk over its inside, and reports none.",
    |policy| policy.watch.is_walk = |_, _| false,
);
