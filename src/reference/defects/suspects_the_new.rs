//! Holds it against every peer that it is new, and never asks where it keeps data.

use serde_json::json;

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::governance::{self, Suspicion};
use crate::reference::store::StoreError;
use crate::reference::store::rows::Peer;
use crate::reference::transaction::Transaction;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "suspects-the-new",
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
