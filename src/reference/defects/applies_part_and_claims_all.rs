//! Leaves out the last of several steps, and counts it as applied.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::apply::{self, Failure, Outcome, Plan};
use crate::wire::migration::Step;

pub(super) const PATCH: Patch = Patch::defect(
    "applies-part-and-claims-all",
    &[("7.2", Conduct)],
    "Leaves out the last of several steps, and counts it as applied.",
    |rules| rules.migrations.apply_step = apply_step,
);

fn apply_step(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let last = plan.steps_in_order().last().is_some_and(|last| last.step_order == step.step_order);
    if last && plan.request.steps.len() > 1 {
        outcome.applied += 1;
        return Ok(());
    }
    apply::apply_step(plan, step, outcome)
}
