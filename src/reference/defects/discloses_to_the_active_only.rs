//! A compromise is told to the partners that are active, and to no other.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::wire::notice::kind;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-to-the-active-only",
    &[("9.1", Conduct)],
    "Discloses a compromise to the partners that are active, not to the enrolled or degraded.",
    |policy| {
        policy.out.owed_to = |notice_kind, mut partners| {
            if notice_kind == kind::PEER_COMPROMISED {
                partners.retain(|peer| peer.status == PeerStatus::Active);
            }
            partners
        };
    },
);
