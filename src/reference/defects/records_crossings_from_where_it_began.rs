//! Writes down of what it sends whether that crossed from where this platform began, wherever it has moved.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::apply;

pub(super) const PATCH: Patch = Patch::defect(
    "records-crossings-from-where-it-began",
    &[("8.3", Conduct)],
    "Writes down of what it sends whether that crossed from where it began, wherever it has moved.",
    |rules| {
        rules.out.crossing_recorded = |act, peer, _| {
            let place = (act.rules.migrations.place_of)(peer);
            apply::crossing(act, &act.settings.residency, place)
        };
    },
)
.deep();
