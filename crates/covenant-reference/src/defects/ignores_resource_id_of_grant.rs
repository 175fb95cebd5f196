//! The platform treats a grant for one record as a grant for every record of its kind.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-resource-id-of-grant",
    &[("6.4", Detection)],
    "Takes a grant for one record for a grant for every one of its kind.",
    |policy| policy.grants.covers_id = |_, _, _| true,
);
