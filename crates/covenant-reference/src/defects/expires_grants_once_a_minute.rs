//! The platform expires grants only at the thirtieth second of each minute.

use jiff::Timestamp;

use crate::Patch;
use crate::store::rows::Grant;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "expires-grants-once-a-minute",
    &[("2.2", Conduct)],
    "Ends a grant by a round that comes at the thirtieth second of each minute.",
    |policy| policy.grants.has_expired = has_expired,
)
.hard_to_reach();

fn has_expired(grant: &Grant, now: Timestamp) -> bool {
    const MINUTE: i64 = 60;
    const SECOND: i64 = 30;
    let last_round = (now.as_second() - SECOND).div_euclid(MINUTE) * MINUTE + SECOND;
    last_round >= grant.expires_at.as_second()
}
