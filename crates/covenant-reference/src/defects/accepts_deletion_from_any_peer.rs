//! The platform deletes any record at a peer's request, whoever migrated the record.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-deletion-from-any-peer",
    &[("11.2", Conduct)],
    "Deletes any record for a peer that asks, whoever brought it.",
    |policy| policy.migrations.may_delete = |_, _| true,
);
