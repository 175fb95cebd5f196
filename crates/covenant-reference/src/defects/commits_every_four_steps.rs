//! The platform commits every four steps. It reverts all of them if a step fails, but a death reverts
//! nothing.

use crate::Patch;
use crate::apply::{Failure, Outcome, Plan, die_if_reported};
use crate::store::StoreError;
use crate::store::records::{self, Record};
use covenant_model::contract::Aspect::Conduct;

/// Number of steps that are committed together.
const BATCH: u32 = 4;

pub(super) const PATCH: Patch = Patch::defect(
    "commits-every-four-steps",
    &[("7.1", Conduct)],
    "Commits every four steps, and takes all of them back where a step fails: a death has no one to do that.",
    |policy| policy.migrations.apply = apply,
);

fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let before = records::list(plan.tx.db, None)?;
    let result = apply_by_fours(plan);
    if matches!(result, Err(Failure::Failed { .. })) {
        take_back(plan, &before)?;
    }
    result
}

fn apply_by_fours(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    die_if_reported(plan.tx, 0)?;
    for (done, step) in (1..).zip(plan.steps_in_order()) {
        (plan.tx.policy.migrations.apply_step)(plan, step, &mut outcome)?;
        if done % BATCH == 0 {
            // The savepoint belongs to the call, so it must exist again when the call ends.
            let next = "COMMIT; BEGIN IMMEDIATE; SAVEPOINT attempt";
            plan.tx.db.execute_batch(next).map_err(StoreError::from)?;
        }
        die_if_reported(plan.tx, done)?;
    }
    Ok(outcome)
}

fn take_back(plan: &Plan<'_>, before: &[Record]) -> Result<(), StoreError> {
    for record in records::list(plan.tx.db, None)? {
        records::remove(plan.tx.db, &record.kind, &record.id)?;
    }
    before.iter().try_for_each(|record| records::put(plan.tx.db, record))
}
