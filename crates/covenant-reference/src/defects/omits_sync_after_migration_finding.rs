//! The platform refuses a sync of a migration-only kind, but reports no finding.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-sync-after-migration-finding",
    &[("7.5", Detection)],
    "Refuses a sync of what is for migration only, and reports none.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::SYNC_AFTER_MIGRATION
}
