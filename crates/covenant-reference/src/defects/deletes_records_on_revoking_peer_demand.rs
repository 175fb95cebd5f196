//! The platform deletes a peer's migrated records if the peer's revocation demands it.

use crate::Patch;
use crate::store::rows::{Peer, Side};
use crate::store::{StoreError, records};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-records-on-revoking-peer-demand",
    &[("11.2", Detection)],
    "Deletes what a peer had migrated where the peer's leave demands it.",
    |policy| policy.peering.records_deleted_on_revocation = delete,
)
.hard_to_reach();

fn delete(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    let demands = peer.revoke_reason.as_deref().is_some_and(|reason| reason.contains("delete"));
    if peer.revoked_by != Some(Side::Remote) || !demands {
        return Ok(());
    }
    for record in records::list(tx.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            records::remove(tx.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
