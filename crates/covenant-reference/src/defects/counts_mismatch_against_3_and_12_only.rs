//! The platform counts a contract mismatch against 12 and 3, but not against 6.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "counts-mismatch-against-3-and-12-only",
    &[("12.2", Detection)],
    "Counts a contract mismatch against 12 and 3, and not against 6.",
    |policy| {
        policy.govern.norms_of = |suspicion| {
            if suspicion.kind == finding::CONTRACT_MISMATCH { &[12, 3] } else { suspicion.norms }
        }
    },
)
.hard_to_reach();
