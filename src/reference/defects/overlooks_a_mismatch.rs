//! Does not mind which contract version a peer claims once it has joined.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::govern::Suspicion;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-a-mismatch",
    &[("12.1", Detection), ("12.2", Detection), ("E.1", Detection)],
    "Does not mind which contract version a peer claims once it has joined.",
    |rules| rules.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::CONTRACT_MISMATCH
}
