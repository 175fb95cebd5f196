//! The platform attributes mass grants to the peer that it has known longest.

use crate::Patch;
use crate::governance::Suspicion;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::defect(
    "attributes-mass-grants-to-oldest-peer",
    &[("6.2", Detection)],
    "Holds a mass of grants against the peer that it has known longest.",
    |policy| policy.govern.blamed = blame,
)
.hard_to_reach();

fn blame(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<String, StoreError> {
    let peers: Vec<Peer> = table::all(tx.db)?;
    let eldest = peers.into_iter().min_by_key(|peer| peer.proposed_at).map(|peer| peer.id);
    let eldest = eldest.filter(|_| suspicion.kind == finding::MASS_GRANTS);
    Ok(eldest.unwrap_or_else(|| peer_id.to_owned()))
}
