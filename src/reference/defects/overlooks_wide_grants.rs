//! Counts grants, and does not look at how wide they are.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-wide-grants",
    &[("6.2", Detection)],
    "Counts grants, and does not look at how wide they are.",
    |policy| policy.watch.is_mass = |_, all| all >= 50,
);
