//! The platform stores a duplicate, or a record to be renamed, under a new id.

use crate::Patch;
use crate::apply::{self, Plan};
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Step, operation};

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-ids-of-duplicates",
    &[("7.2", Conduct), ("7.4", Conduct)],
    "Keeps a duplicate under an id of its own making.",
    |policy| policy.migrations.kept_id = kept_id,
);

fn kept_id(plan: &Plan<'_>, step: &Step) -> String {
    if plan.request.operation == operation::DUPLICATE {
        return plan.tx.new_id();
    }
    apply::kept_id(plan, step)
}
