//! The platform ends support of the previous major version on the announced day, however short the notice
//! was.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use jiff::SignedDuration;

pub(super) const PATCH: Patch = Patch::defect(
    "ends-major-support-on-short-notice",
    &[("10.2", Conduct)],
    "Breaks with the major version before on the day that it named, however near that was.",
    |policy| policy.handshake.notice_needed = SignedDuration::ZERO,
)
.hard_to_reach();
