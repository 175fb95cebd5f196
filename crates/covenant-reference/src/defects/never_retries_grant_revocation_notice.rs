//! The platform sends the notice of a grant's revocation once, and never retries it.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "never-retries-grant-revocation-notice",
    &[("2.3", Conduct)],
    "Tries once to tell a peer that its grant ended, and never again.",
    |policy| policy.out.is_sent = |notice| notice.event.kind != kind::GRANT_REVOKED || notice.attempts == 0,
)
.hard_to_reach();
