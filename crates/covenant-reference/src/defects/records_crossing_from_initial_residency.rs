//! The platform records outbound crossings from its initial residency, even after its residency moved.

use crate::Patch;
use crate::apply;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "records-crossing-from-initial-residency",
    &[("8.3", Conduct)],
    "Writes down of what it sends whether that crossed from where it began, wherever it has moved.",
    |policy| {
        policy.out.crossing_recorded = |tx, peer, _| {
            let place = (tx.policy.migrations.place_of)(peer);
            apply::crossing(tx, &tx.settings.residency, place)
        };
    },
)
.hard_to_reach();
