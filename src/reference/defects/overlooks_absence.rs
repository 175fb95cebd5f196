//! A peer that is no longer there is taken for one that is.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-absence",
    &[("4.1", Detection)],
    "Notices a peer that refuses it, and not one that is no longer there.",
    |policy| policy.out.is_stale = |_, _| false,
);
