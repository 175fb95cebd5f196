//! The platform treats a peer that is gone as one that is still there.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-unreachable-peer",
    &[("4.1", Detection)],
    "Notices a peer that refuses it, and not one that is no longer there.",
    |policy| policy.out.is_stale = |_, _| false,
);
