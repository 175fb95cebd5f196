//! Says nothing of an active peer without a residency.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::govern::Suspicion;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-missing-residency",
    &[("8.1", Detection)],
    "Says nothing of an active peer without a residency.",
    |rules| rules.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::RESIDENCY_MISSING
}
