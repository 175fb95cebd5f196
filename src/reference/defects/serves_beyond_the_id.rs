//! Takes a grant for one record for a grant for every one of its kind.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-beyond-the-id",
    &[("6.4", Detection)],
    "Takes a grant for one record for a grant for every one of its kind.",
    |policy| policy.grants.covers_id = |_, _, _| true,
);
