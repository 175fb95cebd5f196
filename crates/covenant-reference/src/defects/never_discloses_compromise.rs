//! The platform sends no notice of a compromise.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "never-discloses-compromise",
    &[("9.1", Conduct)],
    "Writes a compromise down, and discloses it to no one.",
    |policy| policy.out.is_sent = |notice| notice.event.kind != kind::PEER_COMPROMISED,
);
