//! The platform lets a grant expire a minute early.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "expires-grants-a-minute-early",
    &[("2.1", Conduct)],
    "Lets a grant expire a minute before its time.",
    |policy| {
        policy.grants.has_expired =
            |grant, now| now.duration_since(grant.expires_at) >= SignedDuration::from_secs(-60);
    },
)
.hard_to_reach();
