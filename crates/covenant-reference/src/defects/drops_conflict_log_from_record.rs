//! The platform reports a conflict once, but omits it from the migration's row.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "drops-conflict-log-from-record",
    &[("7.3", Conduct)],
    "Tells a conflict once, and keeps nothing of it in the migration's record.",
    |policy| policy.migrations.override_migration = |migration| migration.conflict_log.clear(),
);
