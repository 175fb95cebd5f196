//! Takes a batch in which a record stands twice.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-repeated-records",
    &[("6.3", Detection)],
    "Takes a batch in which a record stands twice.",
    |rules| rules.sync.has_repeats = |_| false,
);
