//! Deletes what a peer had migrated where the peer's leave demands it.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::store::rows::{Peer, Side};
use crate::reference::store::{StoreError, records};

pub(super) const PATCH: Patch = Patch::defect(
    "obeys-who-demands-deletion",
    &[("11.2", Detection)],
    "Deletes what a peer had migrated where the peer's leave demands it.",
    |rules| rules.peering.records_deleted_on_revocation = delete,
)
.deep();

fn delete(act: &Act<'_>, peer: &Peer) -> Result<(), StoreError> {
    let demands = peer.revoke_reason.as_deref().is_some_and(|reason| reason.contains("delete"));
    if peer.revoked_by != Some(Side::Remote) || !demands {
        return Ok(());
    }
    for record in records::list(act.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            records::remove(act.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}
