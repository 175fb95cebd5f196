//! Drops a peer's audit when the peering ends.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::store::rows::{AuditEntry, Peer};
use crate::reference::store::{StoreError, table};

pub(super) const PATCH: Patch = Patch::defect(
    "forgets-the-audit",
    &[("11.3", Conduct)],
    "Drops a peer's audit when the peering ends.",
    |rules| rules.peering.audit_deleted_on_revocation = delete,
);

fn delete(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    for entry in table::of_peer::<AuditEntry>(act.db, &peer.id)? {
        table::remove::<AuditEntry>(act.db, &entry.id)?;
    }
    Ok(())
}
