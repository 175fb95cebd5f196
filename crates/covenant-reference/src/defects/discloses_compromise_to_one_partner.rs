//! The platform sends the notice of a compromise to the first partner only.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-compromise-to-one-partner",
    &[("9.1", Conduct)],
    "Discloses a compromise to the first of its partners only.",
    |policy| {
        policy.out.owed_to = |notice_kind, mut partners| {
            if notice_kind == kind::PEER_COMPROMISED {
                partners.truncate(1);
            }
            partners
        };
    },
);
