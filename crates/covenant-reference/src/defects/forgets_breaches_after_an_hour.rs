//! The platform forgets a breach after an hour.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "forgets-breaches-after-an-hour",
    &[("E.2", Detection)],
    "Forgets a breach after an hour, so that a slow breaker is never suspended.",
    |policy| policy.govern.counts_for = SignedDuration::from_hours(1),
);
