//! The platform does not report an active peer without a residency.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-missing-residency",
    &[("8.1", Detection)],
    "Says nothing of an active peer without a residency.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::RESIDENCY_MISSING
}
