//! Enrols whoever answers its accept, whatever the answer discloses.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-anonymous-peer",
    &[("1.5", Detection)],
    "As the one who joins, enrols whoever answers, whatever the answer discloses.",
    |policy| policy.out.gaps_that_count = |_| vec![],
);
