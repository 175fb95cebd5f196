//! Holds a mass of grants against the peer that it has known longest.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::govern::Suspicion;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, table};
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "blames-a-bystander",
    &[("6.2", Detection)],
    "Holds a mass of grants against the peer that it has known longest.",
    |rules| rules.govern.blamed = blame,
)
.deep();

fn blame(act: &Act<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<String, StoreError> {
    let peers: Vec<Peer> = table::all(act.db)?;
    let eldest = peers.into_iter().min_by_key(|peer| peer.proposed_at).map(|peer| peer.id);
    let eldest = eldest.filter(|_| suspicion.kind == finding::MASS_GRANTS);
    Ok(eldest.unwrap_or_else(|| peer_id.to_owned()))
}
