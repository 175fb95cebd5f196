//! The platform keeps only the last three entries of a peer's audit when the peering ends.

use crate::Patch;
use crate::store::rows::{AuditEntry, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "truncates-audit-on-revocation",
    &[("11.3", Conduct)],
    "Keeps the last three entries of a peer's audit when the peering ends.",
    |policy| policy.peering.audit_deleted_on_revocation = thin,
);

fn thin(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    let entries: Vec<AuditEntry> = table::of_peer(tx.db, &peer.id)?;
    for entry in entries.iter().rev().skip(3) {
        table::remove::<AuditEntry>(tx.db, &entry.id)?;
    }
    Ok(())
}
