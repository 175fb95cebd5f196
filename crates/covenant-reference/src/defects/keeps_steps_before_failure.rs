//! The platform stops at a failed step, but keeps the steps before it.

use crate::Patch;
use crate::apply::{Failure, Outcome, Plan, die_if_reported};
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-steps-before-failure",
    &[("7.1", Conduct)],
    "Stops at a step that fails, and keeps the steps before it.",
    |policy| policy.migrations.apply = apply,
);

fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    for (done, step) in (1..).zip(plan.steps_in_order()) {
        (plan.tx.policy.migrations.apply_step)(plan, step, &mut outcome)?;
        die_if_reported(plan.tx, done)?;
    }
    Ok(outcome)
}
