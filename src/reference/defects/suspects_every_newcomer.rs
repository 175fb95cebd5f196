//! Holds a drift against every peer that it enrols, and looks at no claim.

use serde_json::json;

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::govern::{self, Suspicion};
use crate::reference::store::StoreError;
use crate::reference::store::rows::Peer;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "suspects-every-newcomer",
    &[("3.1", Detection), ("3.2", Detection), ("3.3", Detection), ("3.4", Detection)],
    "Holds a drift against every peer that it enrols, and looks at no claim.",
    |rules| {
        rules.peering.at_enrolment = suspect;
        rules.govern.is_reported = |suspicion| !is_drift(suspicion) || suspicion.message == NEW;
    },
);

const NEW: &str = "a new peer";

fn is_drift(suspicion: &Suspicion) -> bool {
    suspicion.kind == finding::CAPABILITY_DRIFT
}

fn suspect(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    govern::note(act, &peer.id, &Suspicion::soft(finding::CAPABILITY_DRIFT, NEW, json!({})))
}
