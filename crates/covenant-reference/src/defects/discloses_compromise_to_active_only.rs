//! The platform sends the notice of a compromise to active partners only.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-compromise-to-active-only",
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
