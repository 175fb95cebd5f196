//! The platform leaves out the last of several new records, and counts it as applied.

use crate::Patch;
use crate::apply::{self, Failure, Outcome, Plan};
use crate::store::records;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Step, action};

pub(super) const PATCH: Patch = Patch::defect(
    "claims-unapplied-last-step",
    &[("7.2", Conduct)],
    "Leaves out the last of several new records, and counts it as applied.",
    |policy| policy.migrations.apply_step = apply_step,
);

fn apply_step(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let steps = plan.steps_in_order();
    let created: Vec<i64> =
        steps.iter().filter(|step| step.action == action::CREATE).map(|step| step.step_order).collect();
    let is_new = records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?.is_none();
    if is_new && created.len() > 1 && created.last() == Some(&step.step_order) {
        outcome.applied += 1;
        return Ok(());
    }
    apply::apply_step(plan, step, outcome)
}
