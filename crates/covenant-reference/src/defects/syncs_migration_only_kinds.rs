//! The platform syncs kinds that are declared for migration only.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-migration-only-kinds",
    &[("7.5", Conduct)],
    "syncs records of a kind that is for migration only",
    |policy| {
        policy.out.flows_by_itself = |row, _| row.direction == "migration_only";
    },
);
