//! The platform omits a crossing from the migration's row.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-crossing-from-record",
    &[("8.3", Conduct)],
    "Leaves a crossing out of the migration's record.",
    |policy| policy.migrations.records_crossing = false,
);
