//! The platform commits every step by itself: the steps before a failure or a death stay.

use crate::Patch;
use crate::apply::{Failure, Outcome, Plan, die_if_reported};
use crate::store::StoreError;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "commits-step-by-step",
    &[("7.1", Conduct)],
    "Commits every step by itself: what came before a failure or a death stays.",
    |policy| policy.migrations.apply = apply,
);

pub(super) fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    die_if_reported(plan.tx, 0)?;
    for (done, step) in (1..).zip(plan.steps_in_order()) {
        (plan.tx.policy.migrations.apply_step)(plan, step, &mut outcome)?;
        // The savepoint belongs to the call, so it must exist again when the call ends.
        let next = "COMMIT; BEGIN IMMEDIATE; SAVEPOINT attempt";
        plan.tx.db.execute_batch(next).map_err(StoreError::from)?;
        die_if_reported(plan.tx, done)?;
    }
    Ok(outcome)
}
