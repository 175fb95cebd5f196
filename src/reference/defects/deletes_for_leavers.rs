//! Takes a peer's leave for the wish that its records be deleted.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::store::rows::{Peer, Side};
use crate::reference::store::{StoreError, records};

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-for-leavers",
    &[("11.2", Detection)],
    "Takes a peer's leave for the wish that its records be deleted.",
    |rules| rules.peering.records_deleted_on_revocation = delete,
)
.deep();

fn delete(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    if peer.revoked_by != Some(Side::Remote) {
        return Ok(());
    }
    for record in records::list(act.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            records::remove(act.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
