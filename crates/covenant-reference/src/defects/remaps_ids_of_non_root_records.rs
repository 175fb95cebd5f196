//! The platform stores records that were migrated along with a root under new ids.

use crate::Patch;
use crate::apply::{self, Plan};
use crate::store::records;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::Step;

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-ids-of-non-root-records",
    &[("7.2", Conduct), ("7.4", Conduct)],
    "Keeps what was migrated along with a root under ids of its own making.",
    |policy| policy.migrations.kept_id = kept_id,
);

fn kept_id(plan: &Plan<'_>, step: &Step) -> String {
    let is_root = step.resource_id == plan.request.root_resource_id;
    let standing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id);
    if is_root || standing.is_ok_and(|standing| standing.is_some()) {
        return apply::kept_id(plan, step);
    }
    plan.tx.new_id()
}
