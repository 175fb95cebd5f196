//! The platform sends a peer that was revoked and admitted again the audit of all peers.

use crate::Patch;
use crate::history;
use crate::store::rows::Peer;
use crate::store::table;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "shows-full-audit-to-readmitted-peer",
    &[("5.4", Conduct)],
    "Gives a peer that was revoked, and was let in again, the audit of all peers.",
    |policy| {
        policy.audit.belongs_to =
            |tx, entry, peer_id| history::belongs_to(tx, entry, peer_id) || has_returned(tx, peer_id);
    },
)
.hard_to_reach();

fn has_returned(tx: &Transaction<'_>, peer_id: &str) -> bool {
    let peers: Vec<Peer> = table::all(tx.db).unwrap_or_default();
    let address = peers.iter().find(|peer| peer.id == peer_id).map(|peer| &peer.remote_instance_url);
    let is_gone = |peer: &Peer| peer.status == PeerStatus::Revoked;
    peers.iter().any(|peer| is_gone(peer) && Some(&peer.remote_instance_url) == address)
}
