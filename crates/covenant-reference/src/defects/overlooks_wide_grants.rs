//! The platform counts grants, but ignores how wide they are.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-wide-grants",
    &[("6.2", Detection)],
    "Counts grants, and does not look at how wide they are.",
    |policy| policy.watch.is_mass = |_, all| all >= 50,
);
