//! The platform marks a peer's migrated records as deleted when the peering ends.

use serde_json::json;

use crate::Patch;
use crate::store::rows::Peer;
use crate::store::{StoreError, records};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "marks-records-deleted-on-revocation",
    &[("11.2", Conduct), ("11.2", Detection)],
    "Marks what a peer had migrated as deleted when the peering ends.",
    |policy| policy.peering.records_deleted_on_revocation = mark,
);

fn mark(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    for mut record in records::list(tx.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            record.body.insert("deleted_at".to_owned(), json!(tx.now.to_string()));
            records::put(tx.db, &record)?;
        }
    }
    Ok(())
}
