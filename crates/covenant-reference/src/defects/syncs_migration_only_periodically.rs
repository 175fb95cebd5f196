//! The platform syncs migration-only kinds whose policy is periodic.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-migration-only-periodically",
    &[("7.5", Conduct)],
    "Syncs whatever is to be synced periodically, though it is for migration only.",
    |policy| policy.out.flows_by_itself = |row, _| row.policy == "auto_periodic",
);
