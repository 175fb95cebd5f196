//! The platform refuses a corrupt stream, but reports no finding.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-corrupt-stream-finding",
    &[("6.3", Detection), ("E.1", Detection), ("E.2", Detection)],
    "Refuses a corrupt stream, and reports none.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::SYNC_CORRUPT
}
