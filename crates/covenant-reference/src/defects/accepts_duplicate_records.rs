//! The platform accepts a batch that contains a record twice.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-duplicate-records",
    &[("6.3", Detection)],
    "Takes a batch in which a record stands twice.",
    |policy| policy.sync.has_repeats = |_| false,
);
