//! The platform treats a disclosure as late only a minute after the 24 hours.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "tolerates-disclosure-a-minute-late",
    &[("9.1", Detection)],
    "Finds a disclosure late only a minute after the 24 hours.",
    |policy| policy.notices.is_late = |after| after > SignedDuration::from_secs(24 * 3600 + 60),
)
.hard_to_reach();
