//! The platform sends the notice of a compromise 25 hours after its declaration.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-compromise-after-25-hours",
    &[("9.1", Conduct)],
    "Discloses a compromise 25 hours after it was declared.",
    |policy| {
        policy.out.delay = |notice_kind| {
            let hours = if notice_kind == kind::PEER_COMPROMISED { 25 } else { 0 };
            SignedDuration::from_hours(hours)
        };
    },
);
