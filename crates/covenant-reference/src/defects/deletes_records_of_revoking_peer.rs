//! The platform treats a peer's revocation as a request to delete the peer's records.

use crate::Patch;
use crate::store::rows::{Peer, Side};
use crate::store::{StoreError, records};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-records-of-revoking-peer",
    &[("11.2", Detection)],
    "Takes a peer's leave for the request that its records be deleted.",
    |policy| policy.peering.records_deleted_on_revocation = delete,
)
.hard_to_reach();

fn delete(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    if peer.revoked_by != Some(Side::Remote) {
        return Ok(());
    }
    for record in records::list(tx.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            records::remove(tx.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
