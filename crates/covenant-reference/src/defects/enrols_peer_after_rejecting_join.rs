//! The platform reports that it does not join a peer that agreed to another contract, but enrols it.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "enrols-peer-after-rejecting-join",
    &[("12.1", Detection), ("V.2", Detection)],
    "Says that it does not join a peer that agreed to another contract, and enrols it.",
    |policy| policy.out.enrols_whom_it_refuses = true,
);
