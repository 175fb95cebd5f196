//! The platform syncs migration-only kinds that have an automatic policy.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-migration-only-on-auto-policy",
    &[("7.5", Conduct)],
    "Syncs whatever has an automatic policy, though it is for migration only.",
    |policy| policy.out.flows_by_itself = |row, _| row.policy.starts_with("auto_"),
);
