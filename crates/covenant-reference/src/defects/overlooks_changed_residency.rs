//! The platform does not report a peer whose residency moved after a migration.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-changed-residency",
    &[("8.2", Detection)],
    "Says nothing of a peer whose residency moved after a migration.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::RESIDENCY_MOVED
}
