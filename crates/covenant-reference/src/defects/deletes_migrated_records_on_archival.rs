//! The platform deletes a revoked peer's migrated records when the peer's grants are archived, 90 days later.

use crate::Patch;
use crate::store::rows::Grant;
use crate::store::{StoreError, records};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-migrated-records-on-archival",
    &[("11.2", Conduct), ("11.2", Detection)],
    "Deletes what a revoked peer had migrated when the peer's grants are archived, 90 days later.",
    |policy| policy.peering.at_archive = delete,
);

fn delete(tx: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    for record in records::list(tx.db, None)? {
        if grant.revoked_with_peer && record.source_peer_id.as_deref() == Some(&*grant.peer_id) {
            records::remove(tx.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
