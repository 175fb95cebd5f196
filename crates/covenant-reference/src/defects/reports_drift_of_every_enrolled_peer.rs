//! The platform reports a drift of every peer that it enrols, and checks no claim.

use serde_json::json;

use crate::Patch;
use crate::governance::{self, Suspicion};
use crate::store::StoreError;
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-drift-of-every-enrolled-peer",
    &[("3.1", Detection), ("3.2", Detection), ("3.3", Detection), ("3.4", Detection)],
    "Holds a drift against every peer that it enrols, and looks at no claim.",
    |policy| {
        policy.peering.at_enrolment = suspect;
        policy.govern.is_reported = |suspicion| !is_drift(suspicion) || suspicion.message == NEW;
    },
);

const NEW: &str = "a new peer";

fn is_drift(suspicion: &Suspicion) -> bool {
    suspicion.kind == finding::CAPABILITY_DRIFT
}

fn suspect(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    governance::note(tx, &peer.id, &Suspicion::soft(finding::CAPABILITY_DRIFT, NEW, json!({})))
}
