//! Does not notice that a peer cuts off what was in flight when it left.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-a-cut-grace",
    &[("4.3", Detection)],
    "Does not notice that a peer cuts off what was in flight when it left.",
    |policy| policy.out.cuts_grace = |_, _, _| false,
);
