//! The platform does not report a peer that refuses every call.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-silent-revocation",
    &[("4.1", Detection), ("4.2", Detection)],
    "does not notice that a peer left without a notice",
    |policy| {
        policy.out.left_in_silence = |_, _| false;
        policy.out.is_stale = |_, _| false;
    },
);
