//! The platform promises an excerpt for the end of the 72 hours.

use jiff::SignedDuration;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "promises-excerpts-in-72-hours",
    "Promises an excerpt for the end of the 72 hours.",
    |policy| policy.audit.excerpt_delay = Some(SignedDuration::from_hours(72)),
);
