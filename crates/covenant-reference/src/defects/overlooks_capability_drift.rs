//! The platform does not notice any false capability claim.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-capability-drift",
    &[("3.1", Detection), ("3.2", Detection), ("3.3", Detection), ("3.4", Detection)],
    "Notices no claim that does not hold.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::CAPABILITY_DRIFT
}
