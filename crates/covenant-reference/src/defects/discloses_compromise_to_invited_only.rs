//! The platform sends the notice of a compromise only to partners that it invited, not to those that invited
//! it.

use crate::Patch;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-compromise-to-invited-only",
    &[("9.1", Conduct)],
    "Discloses a compromise to the partners that it invited, and not to those that invited it.",
    |policy| {
        policy.out.owed_to = |notice_kind, mut partners| {
            if notice_kind == kind::PEER_COMPROMISED {
                partners.retain(|peer| peer.proposed_by == Side::Local);
            }
            partners
        };
    },
);
