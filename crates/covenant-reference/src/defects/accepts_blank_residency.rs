//! The platform accepts a blank as a data residency.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-blank-residency",
    &[("8.1", Detection)],
    "Takes a blank for a place where data is kept.",
    |policy| policy.govern.names_a_place = |_| true,
);
