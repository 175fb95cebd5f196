//! Leaves a crossing out of the migration's record.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "records-no-crossing",
    &[("8.3", Conduct)],
    "Leaves a crossing out of the migration's record.",
    |rules| rules.migrations.records_crossing = false,
);
