//! The platform suspends at the first breach.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "suspends-at-first-breach",
    &[("E.2", Detection)],
    "Suspends at the first breach.",
    |policy| {
        policy.govern.suspends = |_, _| true;
    },
);
