//! The platform applies an opened migration step by step, and any other migration in one transaction.

use crate::Patch;
use crate::apply::{self, Failure, Outcome, Plan};
use covenant_model::contract::Aspect::Conduct;

use super::commits_step_by_step;

pub(super) const PATCH: Patch = Patch::defect(
    "commits-opened-migration-step-by-step",
    &[("7.1", Conduct)],
    "Applies what was sent at once as one, and what was opened first step by step.",
    |policy| policy.migrations.apply = apply,
);

fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    if plan.request.commit == Some(false) { commits_step_by_step::apply(plan) } else { apply::apply(plan) }
}
