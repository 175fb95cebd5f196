//! The platform syncs migration-only kinds whose policy is to sync on a match.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-migration-only-on-filter-match",
    &[("7.5", Conduct)],
    "Syncs whatever is to be synced when it matches, though it is for migration only.",
    |policy| policy.out.flows_by_itself = |row, _| row.policy == "on_match_filter",
);
