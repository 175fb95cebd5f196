//! The platform ignores the refusal of a grant on the grant's last day.

use jiff::SignedDuration;

use crate::Patch;
use crate::outbound;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-rejection-on-grants-last-day",
    &[("2.1", Detection)],
    "Does not notice that a peer refuses a grant on its last day.",
    |policy| {
        policy.out.is_broken = |grant, scope, now, called| {
            let tomorrow = now + SignedDuration::from_hours(24);
            (outbound::Policy::default().is_broken)(grant, scope, tomorrow, called)
        };
    },
);
