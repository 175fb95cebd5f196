//! Enrols whoever answers its accept, whatever the answer discloses.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-the-anonymous",
    &[("1.5", Detection)],
    "As the one who joins, enrols whoever answers, whatever the answer discloses.",
    |policy| policy.out.gaps_that_count = |_| vec![],
);
