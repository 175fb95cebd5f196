//! The platform sends the notice of a peer's revocation once, and never retries it.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "never-retries-peer-revocation-notice",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "Tries once to tell a peer that it was revoked, and never again.",
    |policy| policy.out.is_sent = |notice| notice.event.kind != kind::PEER_REVOKED || notice.attempts == 0,
)
.hard_to_reach();
