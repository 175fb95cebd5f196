//! Calls a peer that left suspended, as if it could be resumed.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::store::rows::Side;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "calls-leavers-suspended",
    &[("11.1", Detection)],
    "Calls a peer that left suspended, as if it could be resumed.",
    |policy| {
        policy.peering.override_revoked = |peer| {
            if peer.revoked_by == Some(Side::Remote) {
                peer.status = PeerStatus::Suspended;
            }
        }
    },
);
