//! Says nothing of a heartbeat that discloses nothing.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::governance::Suspicion;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-undisclosed-heartbeats",
    &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection)],
    "Says nothing of a heartbeat that discloses nothing.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::IDENTITY_UNDISCLOSED
}
