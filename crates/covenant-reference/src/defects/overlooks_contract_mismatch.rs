//! The platform ignores the contract version that a peer claims after the handshake.

use crate::Patch;
use crate::governance::Suspicion;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-contract-mismatch",
    &[("12.1", Detection), ("12.2", Detection), ("E.1", Detection)],
    "Does not mind which contract version a peer claims once it has joined.",
    |policy| policy.govern.is_reported = is_reported,
);

fn is_reported(suspicion: &Suspicion) -> bool {
    suspicion.kind != finding::CONTRACT_MISMATCH
}
