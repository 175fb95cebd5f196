//! Holds it against every peer that it is new, and never asks where it keeps data.

use serde_json::json;

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::govern::{self, Suspicion};
use crate::reference::store::StoreError;
use crate::reference::store::rows::Peer;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "suspects-the-new",
    &[("8.1", Detection)],
    "Holds it against every peer that it is new, and never asks where it keeps data.",
    |rules| {
        rules.peering.at_enrolment = suspect;
        rules.govern.is_reported = |suspicion| suspicion.kind != finding::RESIDENCY_MISSING;
    },
);

fn suspect(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    govern::note(act, &peer.id, &Suspicion::soft("peer_new", "a new peer", json!({})))
}
