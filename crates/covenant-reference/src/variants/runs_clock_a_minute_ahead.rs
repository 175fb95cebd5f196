//! The platform's clock is a minute ahead of all others.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "runs-clock-a-minute-ahead",
    "Has a clock that is a minute ahead of everyone else's.",
    |policy| {
        policy.wire.clock_ahead_seconds = 60;
    },
);
