//! The platform deletes a peer's audit when the peering ends.

use crate::Patch;
use crate::store::rows::{AuditEntry, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-audit-on-revocation",
    &[("11.3", Conduct)],
    "Drops a peer's audit when the peering ends.",
    |policy| policy.peering.audit_deleted_on_revocation = delete,
);

fn delete(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    for entry in table::of_peer::<AuditEntry>(tx.db, &peer.id)? {
        table::remove::<AuditEntry>(tx.db, &entry.id)?;
    }
    Ok(())
}
