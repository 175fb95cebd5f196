//! The platform promises an excerpt for 72 hours and one second later.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "promises-excerpt-a-second-late",
    &[("5.3", Conduct)],
    "Promises an excerpt for 72 hours and a second later.",
    |policy| policy.audit.excerpt_delay = Some(SignedDuration::from_secs(72 * 3600 + 1)),
)
.hard_to_reach();
