//! Counts wide grants only, however many there are of the others.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-many-grants",
    &[("6.2", Detection)],
    "Counts wide grants only, however many there are of the others.",
    |rules| rules.watch.is_mass = |wide, _| wide >= 15,
);
