//! The platform accepts a batch wherever it starts.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-sync-cursor",
    &[("6.3", Detection)],
    "Takes a batch wherever it begins.",
    |policy| {
        policy.sync.joins_on = |_, _| true;
    },
);
