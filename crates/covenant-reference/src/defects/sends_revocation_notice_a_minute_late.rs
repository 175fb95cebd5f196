//! The platform sends the notice of a revocation after the first refusal.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "sends-revocation-notice-a-minute-late",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "sends the notice of a revocation only with its next timers, when it has long refused a call",
    |policy| policy.out.delay = delay,
)
.hard_to_reach();

fn delay(notice: &str) -> SignedDuration {
    if notice == kind::PEER_REVOKED { SignedDuration::from_mins(1) } else { SignedDuration::ZERO }
}
