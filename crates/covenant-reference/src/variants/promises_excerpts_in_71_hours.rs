//! The platform promises an excerpt for 71 hours later.

use jiff::SignedDuration;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "promises-excerpts-in-71-hours",
    "Promises an excerpt for three days later, less an hour.",
    |policy| {
        policy.audit.excerpt_delay = Some(SignedDuration::from_hours(71));
    },
);
