//! Defects against 7.1: a migration is applied completely or not at all.

use crate::Patch;
use crate::migration::{self, Failure, Outcome, Plan, crash_if_set};
use crate::store::records::{self, Record};
use crate::store::rows::{Direction, Migration};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Step, operation, policy as conflict_policy};

/// Defects in the application of a plan.
pub(in crate::defects) const PATCHES: &[Patch] = &[
    Patch::defect(
        "commits-step-by-step",
        &[("7.1", Conduct)],
        "Commits each step by itself, so the steps before a failure or a crash remain.",
        |policy| policy.migration.apply = |plan| apply_in_batches(plan, 1),
    ),
    Patch::defect(
        "commits-every-four-steps",
        &[("7.1", Conduct)],
        "Commits every four steps, and reverts all of them if a step fails, but not after a crash.",
        |policy| policy.migration.apply = apply_by_fours_or_revert,
    ),
    Patch::defect(
        "commits-every-twenty-steps",
        &[("7.1", Conduct)],
        "Commits every twenty steps, so those of a long plan remain before a failure or a crash.",
        |policy| policy.migration.apply = |plan| apply_in_batches(plan, 20),
    )
    .hard_to_reach(),
    Patch::defect(
        "commits-every-two-hundred-steps",
        &[("7.1", Conduct)],
        "Commits every two hundred steps, so those of a very long plan remain before a failure or a crash.",
        |policy| policy.migration.apply = apply_by_two_hundred,
    )
    .hard_to_reach(),
    Patch::defect(
        "keeps-what-a-failed-plan-overwrote",
        &[("7.1", Conduct)],
        "Removes the new records of a failed plan, but leaves those that it overwrote as the plan had them.",
        |policy| policy.migration.apply = apply_and_keep_overwritten,
    )
    .hard_to_reach(),
    Patch::defect(
        "applies-open-migrations-at-a-restart",
        &[("7.1", Conduct)],
        "Stores at a restart the new records of each migration that a peer opened and did not commit.",
        |policy| policy.peering.on_start = apply_open_migrations,
    )
    .hard_to_reach(),
    Patch::defect(
        "validates-step-order-while-applying",
        &[("7.1", Conduct)],
        "Checks the step orders while it applies a plan, and keeps the steps before an invalid one.",
        |policy| {
            policy.migration.has_valid_orders = |_| true;
            policy.migration.apply = apply_in_order;
        },
    ),
    Patch::defect(
        "commits-opened-migration-step-by-step",
        &[("7.1", Conduct)],
        "Applies an opened migration step by step, and any other migration in one transaction.",
        |policy| {
            policy.migration.apply = |plan| match plan.request.commit {
                Some(false) => apply_in_batches(plan, 1),
                _ => migration::apply(plan),
            };
        },
    ),
    Patch::defect(
        "commits-deletions-step-by-step",
        &[("7.1", Conduct)],
        "Applies a plan of deletions step by step, and any other plan in one transaction.",
        |policy| {
            policy.migration.apply = |plan| match plan.request.operation.as_str() {
                operation::DELETE => apply_in_batches(plan, 1),
                _ => migration::apply(plan),
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "commits-other-kinds-than-the-root-first",
        &[("7.1", Conduct)],
        "Commits the records of each kind other than that of the root before it applies the rest of a plan.",
        |policy| policy.migration.apply = |plan| apply_by_kind(plan, false),
    ),
    Patch::defect(
        "commits-the-kind-of-the-root-first",
        &[("7.1", Conduct)],
        "Commits the records of the root's kind before it applies the rest of a plan.",
        |policy| policy.migration.apply = |plan| apply_by_kind(plan, true),
    ),
    Patch::defect(
        "commits-copies-step-by-step",
        &[("7.1", Conduct)],
        "Applies a plan of copies step by step, and any other plan in one transaction.",
        |policy| {
            policy.migration.apply = |plan| match plan.request.operation.as_str() {
                operation::DUPLICATE => apply_in_batches(plan, 1),
                _ => migration::apply(plan),
            };
        },
    ),
    Patch::defect(
        "keeps-steps-before-failure",
        &[("7.1", Conduct)],
        "Stops at a failed step, but keeps the steps before it.",
        |policy| policy.migration.apply = apply_without_savepoint,
    ),
    Patch::defect(
        "leaves-failed-migration-open",
        &[("7.1", Conduct)],
        "Undoes the records of a failed plan, but leaves its migration as one that is being applied.",
        |policy| {
            policy.migration.override_migration = |migration| {
                if migration.status == "failed" {
                    "applying".clone_into(&mut migration.status);
                }
            };
        },
    ),
    Patch::defect(
        "shows-failed-migration-as-completed",
        &[("7.1", Conduct)],
        "Answers that a plan failed, but shows its migration to the operator as completed.",
        |policy| {
            policy.migration.override_migration = |migration| {
                if migration.status == "failed" {
                    "completed".clone_into(&mut migration.status);
                }
            };
        },
    ),
    Patch::defect(
        "fails-after-a-part-of-the-plan",
        &[("7.1", Conduct)],
        "Commits each step by itself, and answers 500 where a later one fails.",
        |policy| {
            policy.migration.apply = |plan| match apply_in_batches(plan, 1) {
                Err(Failure::Failed { .. }) => Err(Failure::Store(rusqlite::Error::InvalidQuery.into())),
                other => other,
            };
        },
    ),
    Patch::defect(
        "accepts-any-step-order",
        &[("7.1", Conduct)],
        "Accepts a plan whose step orders repeat or are negative.",
        |policy| policy.migration.has_valid_orders = |_| true,
    ),
];

/// Applies a plan, and commits after every `batch` steps.
fn apply_in_batches(plan: &Plan<'_>, batch: u32) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    crash_if_set(plan.tx, 0)?;
    for (done, step) in (1..).zip(plan.steps_in_order()) {
        (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome)?;
        if done % batch == 0 {
            // The savepoint belongs to the call, so it must exist again when the call ends.
            let next = "COMMIT; BEGIN IMMEDIATE; SAVEPOINT attempt";
            plan.tx.db.execute_batch(next).map_err(StoreError::from)?;
        }
        crash_if_set(plan.tx, done)?;
    }
    Ok(outcome)
}

/// Applies a plan in batches of two hundred steps, each of them whole or not at all.
fn apply_by_two_hundred(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    const BATCH: usize = 200;
    let mut outcome = Outcome::default();
    for batch in plan.steps_in_order().chunks(BATCH) {
        plan.tx.attempt(|| {
            let mut steps = batch.iter();
            steps.try_for_each(|step| (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome))
        })?;
        if batch.len() == BATCH {
            let next = "COMMIT; BEGIN IMMEDIATE; SAVEPOINT attempt";
            plan.tx.db.execute_batch(next).map_err(StoreError::from)?;
        }
    }
    Ok(outcome)
}

fn apply_by_fours_or_revert(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let before = records::list(plan.tx.db, None)?;
    let result = apply_in_batches(plan, 4);
    if matches!(result, Err(Failure::Failed { .. })) {
        restore(plan, &before)?;
    }
    result
}

/// Applies a plan in two transactions: first the records of the root's kind, or those of other kinds.
fn apply_by_kind(plan: &Plan<'_>, is_root_first: bool) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    let is_of_root = |step: &&Step| step.resource_kind == plan.request.root_resource_kind;
    let (first, second): (Vec<&Step>, Vec<&Step>) =
        plan.steps_in_order().into_iter().partition(|step| is_of_root(step) == is_root_first);
    if first.is_empty() || second.is_empty() {
        return migration::apply(plan);
    }
    plan.tx.attempt(|| {
        first.iter().try_for_each(|step| (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome))
    })?;
    let next = "COMMIT; BEGIN IMMEDIATE; SAVEPOINT attempt";
    plan.tx.db.execute_batch(next).map_err(StoreError::from)?;
    plan.tx.attempt(|| {
        second.iter().try_for_each(|step| (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome))
    })?;
    outcome.conflicts.sort_by_key(|conflict| conflict.step_order);
    Ok(outcome)
}

/// Applies a plan. If it fails, the records that it overwrote before its failure are written again.
fn apply_and_keep_overwritten(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let before = records::list(plan.tx.db, None)?;
    let known = |kind: &str, id: &str| before.iter().any(|record| record.kind == kind && record.id == id);
    let result = migration::apply(plan);
    if matches!(result, Err(Failure::Failed { .. })) {
        let account = migration::account(plan.tx)?;
        for step in plan.steps_in_order() {
            let overwrites = step.conflict_policy.as_deref() == Some(conflict_policy::OVERWRITE);
            if overwrites && known(&step.resource_kind, &step.resource_id) {
                let body = migration::choose_body(plan.tx, step, &account);
                records::put(plan.tx.db, &Record::own(&step.resource_kind, &step.resource_id, body))?;
            }
        }
    }
    result
}

fn apply_open_migrations(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let mut open: Vec<Migration> = table::all(tx.db)?;
    open.retain(|known| known.direction == Direction::Inbound && known.status == "transferring");
    let account = migration::account(tx)?;
    for step in open.iter().flat_map(|migration| &migration.plan.steps) {
        if records::find(tx.db, &step.resource_kind, &step.resource_id)?.is_none() {
            let body = migration::choose_body(tx, step, &account);
            records::insert(tx.db, &Record::own(&step.resource_kind, &step.resource_id, body))?;
        }
    }
    Ok(())
}

fn restore(plan: &Plan<'_>, before: &[Record]) -> Result<(), StoreError> {
    for record in records::list(plan.tx.db, None)? {
        records::remove(plan.tx.db, &record.kind, &record.id)?;
    }
    before.iter().try_for_each(|record| records::put(plan.tx.db, record))
}

fn apply_in_order(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let steps = plan.steps_in_order();
    let orders: Vec<i64> = [-1].into_iter().chain(steps.iter().map(|step| step.step_order)).collect();
    let Some(place) = orders.windows(2).position(|pair| pair[1] <= pair[0]) else {
        return migration::apply(plan);
    };
    let mut outcome = Outcome::default();
    for step in &steps[..place] {
        (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome)?;
    }
    Err(Failure::failed("a step_order is negative or repeated"))
}

fn apply_without_savepoint(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    for (done, step) in (1..).zip(plan.steps_in_order()) {
        (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome)?;
        crash_if_set(plan.tx, done)?;
    }
    Ok(outcome)
}
