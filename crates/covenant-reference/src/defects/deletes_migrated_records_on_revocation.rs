//! The platform deletes a peer's migrated records when the peering ends.

use crate::Patch;
use crate::store::rows::Peer;
use crate::store::{StoreError, records};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-migrated-records-on-revocation",
    &[("11.2", Conduct), ("11.2", Detection)],
    "Deletes what a peer had migrated when the peering ends.",
    |policy| policy.peering.records_deleted_on_revocation = delete,
);

fn delete(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    for record in records::list(tx.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            records::remove(tx.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
