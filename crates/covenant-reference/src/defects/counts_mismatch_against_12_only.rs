//! The platform counts a contract mismatch against 12 alone, not against 3 and 6.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "counts-mismatch-against-12-only",
    &[("12.2", Detection)],
    "Counts a contract mismatch against 12 alone, not against 3 and 6.",
    |policy| policy.govern.norms_of = norms_of,
);

fn norms_of(suspicion: &Suspicion) -> &'static [u8] {
    if suspicion.kind == finding::CONTRACT_MISMATCH { &[12] } else { suspicion.norms }
}
