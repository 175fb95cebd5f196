//! A peer that is no longer there is taken for one that is.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-unreachable-peer",
    &[("4.1", Detection)],
    "Notices a peer that refuses it, and not one that is no longer there.",
    |policy| policy.out.is_stale = |_, _| false,
);
