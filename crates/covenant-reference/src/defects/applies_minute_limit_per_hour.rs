//! The platform counts the calls of an hour against the limit of a minute.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "applies-minute-limit-per-hour",
    &[("6.1", Detection)],
    "Counts the calls of an hour against the limit of a minute.",
    |policy| policy.watch.counts_for = SignedDuration::from_hours(1),
)
.hard_to_reach();
