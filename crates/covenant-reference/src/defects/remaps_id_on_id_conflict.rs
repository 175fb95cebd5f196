//! The platform gives a record to be renamed a new id if its id is taken, and reports no conflict.

use crate::Patch;
use crate::apply::{self, Plan};
use crate::store::records;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Step, policy};

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-id-on-id-conflict",
    &[("7.2", Conduct), ("7.3", Conduct), ("7.4", Conduct)],
    "Gives what is to be renamed an id of its own making, where its id is taken, and tells no conflict.",
    |policy| policy.migrations.kept_id = kept_id,
);

fn kept_id(plan: &Plan<'_>, step: &Step) -> String {
    let renames = step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX);
    let standing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id);
    if renames && standing.is_ok_and(|standing| standing.is_some()) {
        return plan.tx.new_id();
    }
    apply::kept_id(plan, step)
}
