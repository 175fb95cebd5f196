//! The platform enrols every peer that answers its accept, whatever the response discloses.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-anonymous-peer",
    &[("1.5", Detection)],
    "As the one who joins, enrols whoever answers, whatever the answer discloses.",
    |policy| policy.out.gaps_that_count = |_| vec![],
);
