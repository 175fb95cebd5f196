//! The platform does not suspend a peer that disclosed a compromise.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-compromised-peer-active",
    &[("9.2", Detection)],
    "Hears of a compromise, and lets the peer go on.",
    |policy| policy.notices.suspends_compromised = |_| false,
);
