//! Refuses what it must, and raises no finding about anything.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-nothing",
    &[("E.1", Detection)],
    "Refuses what it must, and raises no finding about anything.",
    |rules| rules.govern.is_reported = |_| false,
);
