//! Takes a batch in which a record stands twice.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-repeated-records",
    &[("6.3", Detection)],
    "Takes a batch in which a record stands twice.",
    |policy| policy.sync.has_repeats = |_| false,
);
