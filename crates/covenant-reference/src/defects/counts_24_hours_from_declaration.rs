//! The platform discloses a compromise within 24 hours of its declaration, whenever it was detected.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "counts-24-hours-from-declaration",
    &[("9.1", Conduct)],
    "Discloses a compromise 23 and a half hours after it was declared, whenever it was detected.",
    |policy| {
        policy.out.delay = |notice_kind| {
            let minutes = if notice_kind == kind::PEER_COMPROMISED { 23 * 60 + 30 } else { 0 };
            SignedDuration::from_mins(minutes)
        };
    },
);
