//! The platform does not report a heartbeat without a disclosure.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-heartbeat-without-disclosure",
    &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection)],
    "Says nothing of a heartbeat that discloses nothing.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::IDENTITY_UNDISCLOSED
}
