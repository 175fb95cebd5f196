//! The platform reports every new peer, and never checks its residency.

use serde_json::json;

use crate::Patch;
use crate::governance::{self, Suspicion};
use crate::store::StoreError;
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-new-peer-not-missing-residency",
    &[("8.1", Detection)],
    "Holds it against every peer that it is new, and never asks where it keeps data.",
    |policy| {
        policy.peering.at_enrolment = suspect;
        policy.govern.is_reported = |suspicion| suspicion.kind != finding::RESIDENCY_MISSING;
    },
);

fn suspect(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    governance::note(tx, &peer.id, &Suspicion::soft("peer_new", "a new peer", json!({})))
}
