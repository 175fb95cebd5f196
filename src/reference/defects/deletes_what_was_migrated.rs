//! Deletes what a peer had migrated when the peering ends.

use crate::contract::Face::{Conduct, Detection};
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, records};

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-what-was-migrated",
    &[("11.2", Conduct), ("11.2", Detection)],
    "Deletes what a peer had migrated when the peering ends.",
    |rules| rules.peering.records_deleted_on_revocation = delete,
);

fn delete(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    for record in records::list(act.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            records::remove(act.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
