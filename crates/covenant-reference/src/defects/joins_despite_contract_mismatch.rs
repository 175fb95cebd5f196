//! The platform joins on any contract that the peer agrees to.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-despite-contract-mismatch",
    &[("12.1", Detection), ("V.2", Detection)],
    "as the one who joins, takes whatever contract version and text the peer agrees to",
    |policy| {
        policy.out.is_same_contract = |_| true;
    },
);
