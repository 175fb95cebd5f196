//! The platform counts wide grants only, however many narrow grants there are.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-many-narrow-grants",
    &[("6.2", Detection)],
    "Counts wide grants only, however many there are of the others.",
    |policy| policy.watch.is_mass = |wide, _| wide >= 15,
);
