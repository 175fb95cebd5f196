//! Tells a conflict once, and keeps nothing of it in the migration's record.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "forgets-its-conflict-log",
    &[("7.3", Conduct)],
    "Tells a conflict once, and keeps nothing of it in the migration's record.",
    |rules| rules.migrations.amend_migration = |migration| migration.conflict_log.clear(),
);
