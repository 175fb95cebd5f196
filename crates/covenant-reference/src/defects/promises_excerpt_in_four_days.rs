//! The platform promises an excerpt for four days later.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "promises-excerpt-in-four-days",
    &[("5.3", Conduct)],
    "Promises an excerpt for four days later.",
    |policy| policy.audit.excerpt_delay = Some(SignedDuration::from_hours(96)),
);
