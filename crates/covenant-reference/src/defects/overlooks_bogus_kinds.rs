//! The platform ignores a 404 for a kind that the peer declared.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-bogus-kinds",
    &[("3.1", Detection), ("3.4", Detection)],
    "does not notice that a declared kind is not served",
    |policy| {
        policy.out.is_drift = |_| false;
    },
);
