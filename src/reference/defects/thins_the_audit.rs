//! Keeps the last three entries of a peer's audit when the peering ends.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::store::rows::{AuditEntry, Peer};
use crate::reference::store::{StoreError, table};

pub(super) const PATCH: Patch = Patch::defect(
    "thins-the-audit",
    &[("11.3", Conduct)],
    "Keeps the last three entries of a peer's audit when the peering ends.",
    |rules| rules.peering.audit_deleted_on_revocation = thin,
);

fn thin(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    let entries: Vec<AuditEntry> = table::of_peer(act.db, &peer.id)?;
    for entry in entries.iter().rev().skip(3) {
        table::remove::<AuditEntry>(act.db, &entry.id)?;
    }
    Ok(())
}
