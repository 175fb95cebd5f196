//! The platform audits inbound calls, but no outbound calls.

use crate::Patch;
use crate::store::rows::Direction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-outbound-calls-from-audit",
    &[("5.1", Conduct)],
    "Writes down the calls that it hears, and none of those that it makes.",
    |policy| policy.audit.override_entry = |entry| (entry.direction == Direction::Inbound).then_some(entry),
);
