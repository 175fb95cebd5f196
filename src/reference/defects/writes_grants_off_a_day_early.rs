//! Does not mind a grant being refused on its last day.

use jiff::SignedDuration;

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::out;

pub(super) const PATCH: Patch = Patch::defect(
    "writes-grants-off-a-day-early",
    &[("2.1", Detection)],
    "Does not notice that a peer refuses a grant on its last day.",
    |rules| {
        rules.out.is_broken = |grant, scope, now, called| {
            let tomorrow = now + SignedDuration::from_hours(24);
            (out::Rules::default().is_broken)(grant, scope, tomorrow, called)
        };
    },
);
