//! The platform reports neither incompatible versions nor a break without notice.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-version-drift",
    &[("10.1", Detection), ("10.2", Detection)],
    "Says nothing of versions that do not go with its own, nor of a break without notice.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    ![finding::SCHEMA_VERSION_DRIFT, finding::BREAK_UNANNOUNCED].contains(&suspicion.kind)
}
