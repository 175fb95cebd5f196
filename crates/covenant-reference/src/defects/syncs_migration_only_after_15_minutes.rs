//! The platform syncs migration-only kinds to its peers 15 minutes after they were enrolled.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

/// Time since the enrolment after which the sync starts.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-migration-only-after-15-minutes",
    &[("7.5", Conduct)],
    "Sweeps what is for migration only out to its peers, a quarter of an hour after they came.",
    |policy| {
        policy.out.flows_by_itself =
            |row, enrolled_for| row.direction == "migration_only" && enrolled_for >= QUARTER;
    },
);
