//! The platform marks a peer that revoked as suspended, as if it could be resumed.

use crate::Patch;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "marks-revoking-peer-suspended",
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
