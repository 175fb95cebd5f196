//! Defects against 7.2 and 7.3: true counts and conflicts.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::migration::{self, Conflicting, Failure, Outcome, Plan, Resolution, resolve};
use crate::store::rows::Migration;
use crate::store::{records, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Conflict, Step, action, operation, policy};

/// Defects in the claims about a received migration.
pub(in crate::defects) const OWN_CLAIMS: &[Patch] = &[
    Patch::defect(
        "claims-unapplied-last-step",
        &[("7.2", Conduct)],
        "Leaves out the last of several new records, and counts it as applied.",
        |policy| policy.migration.apply_step = claim_last_creation,
    ),
    Patch::defect(
        "claims-records-whose-payload-lacks-an-id",
        &[("7.2", Conduct)],
        "Leaves out a record whose payload has no id, and counts it as applied.",
        |policy| {
            policy.migration.apply_step = |plan, step, outcome| {
                if step.action == action::CREATE && !step.payload.contains_key("id") {
                    outcome.applied += 1;
                    return Ok(());
                }
                migration::apply_step(plan, step, outcome)
            };
        },
    ),
    Patch::defect(
        "claims-records-whose-long-texts-it-cuts",
        &[("7.2", Conduct)],
        "Stores the first 255 characters of a longer text, and counts the record as applied.",
        |policy| {
            policy.migration.choose_body = |tx, step, account| {
                let mut body = migration::choose_body(tx, step, account);
                for member in body.values_mut() {
                    if let Some(text) = member.as_str().filter(|text| text.chars().count() > LONGEST) {
                        *member = text.chars().take(LONGEST).collect::<String>().into();
                    }
                }
                body
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "claims-records-whose-numbers-it-rounds",
        &[("7.2", Conduct)],
        "Reads each number of a migrated record as a double, and counts the record as applied.",
        |policy| {
            policy.migration.choose_body = |tx, step, account| with_each_value(tx, step, account, rounded);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "claims-records-without-their-objects",
        &[("7.2", Conduct)],
        "Stores no member of a migrated record that is an object, and counts the record as applied.",
        |policy| {
            policy.migration.choose_body = |tx, step, account| {
                let mut body = migration::choose_body(tx, step, account);
                body.retain(|_, member| !member.is_object());
                body
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "claims-records-of-which-it-stores-the-id",
        &[("7.2", Conduct)],
        "Stores the id of a new record and nothing else of it, and counts the record as applied.",
        |policy| {
            policy.migration.choose_body = |tx, step, account| {
                let mut body = migration::choose_body(tx, step, account);
                let existing = records::find(tx.db, &step.resource_kind, &step.resource_id);
                if existing.is_ok_and(|existing| existing.is_none()) {
                    body.retain(|name, _| name == "id" || name == "account_id");
                }
                body
            };
        },
    ),
    Patch::defect(
        "claims-records-of-other-kinds-than-the-root",
        &[("7.2", Conduct)],
        "Leaves out the new records of each kind other than that of the root, and counts them as applied.",
        |policy| {
            policy.migration.apply_step = |plan, step, outcome| {
                let existing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?;
                if existing.is_none() && step.resource_kind != plan.request.root_resource_kind {
                    outcome.applied += 1;
                    return Ok(());
                }
                migration::apply_step(plan, step, outcome)
            };
        },
    ),
    Patch::defect(
        "overwrites-the-record-whose-id-a-copy-has",
        &[("7.2", Conduct)],
        "Overwrites the record that has the id of a copy, and reports the copy as a success.",
        |policy| policy.migration.apply_step = overwrite_by_copy,
    ),
    Patch::defect(
        "completes-plans-that-link-no-record",
        &[("7.2", Conduct)],
        "Skips a step that links a record that it does not have, and completes the plan.",
        |policy| {
            policy.migration.apply_step = |plan, step, outcome| {
                let linked = records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?;
                let links = plan.request.operation != operation::DELETE && step.action == action::LINK_LOCAL;
                if links && linked.is_none() {
                    outcome.skipped += 1;
                    return Ok(());
                }
                migration::apply_step(plan, step, outcome)
            };
        },
    ),
    Patch::defect(
        "answers-a-second-plan-as-the-first",
        &[("7.2", Conduct)],
        "Answers a second plan with the root of an earlier one as it answered that one, and applies nothing.",
        |policy| policy.migration.apply = apply_first_of_root,
    ),
    Patch::defect(
        "hides-what-its-sender-deleted-before",
        &[("7.2", Conduct)],
        "Stores no record that its sender had it delete before, and counts it as applied.",
        |policy| policy.migration.apply_step = hide_deleted,
    ),
    Patch::defect(
        "skips-conflict-with-fail-policy",
        &[("7.2", Conduct)],
        "Skips a step that must fail the plan, and reports the rest as a success.",
        |policy| {
            policy.migration.resolve = |conflicting: Conflicting, given: &str| match given {
                policy::FAIL => Resolution::Skipped,
                _ => resolve(conflicting, given),
            };
        },
    ),
    Patch::defect(
        "applies-steps-in-order-of-array",
        &[("7.2", Conduct)],
        "Applies the steps of a plan by their places in the array, whatever their numbers are.",
        |policy| policy.migration.compare_steps = |_, _| Ordering::Equal,
    ),
    Patch::defect(
        "applies-steps-in-order-of-digits",
        &[("7.2", Conduct)],
        "Applies the steps of a plan by their numbers as text: step 10 before step 2.",
        |policy| {
            policy.migration.compare_steps =
                |one, other| one.step_order.to_string().cmp(&other.step_order.to_string());
        },
    ),
    Patch::defect(
        "counts-skipped-steps-as-applied",
        &[("7.2", Conduct)],
        "Counts skipped steps as applied.",
        |policy| policy.migration.claim_counts = |outcome| (outcome.applied + outcome.skipped, 0),
    ),
    Patch::defect(
        "counts-steps-to-skip-as-applied",
        &[("7.2", Conduct)],
        "Counts each step whose action is to skip as applied.",
        |policy| {
            policy.migration.apply_step = |plan, step, outcome| {
                if plan.request.operation != operation::DELETE && step.action == action::SKIP {
                    outcome.applied += 1;
                    return Ok(());
                }
                migration::apply_step(plan, step, outcome)
            };
        },
    ),
    Patch::defect(
        "counts-neither-of-two-steps-for-one-record",
        &[("7.2", Conduct)],
        "Counts a step as skipped once it skips a later one for the same record.",
        |policy| policy.migration.apply_step = disclaim_repeated_creation,
    )
    .hard_to_reach(),
    Patch::defect(
        "overwrites-record-of-an-earlier-step",
        &[("7.3", Conduct)],
        "Overwrites the record of an earlier step where it has to skip the later one, and logs no conflict.",
        |policy| policy.migration.apply_step = overwrite_earlier_step,
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-first-conflict-from-log",
        &[("7.3", Conduct)],
        "Omits the first conflict from its log.",
        |policy| {
            policy.migration.claim_conflicts = |outcome| outcome.conflicts.iter().skip(1).cloned().collect();
        },
    ),
    Patch::defect(
        "omits-conflicts-with-records-of-the-sender",
        &[("7.3", Conduct)],
        "Logs no conflict with a record that came from the same peer.",
        |policy| {
            policy.migration.apply =
                |plan| apply_without_conflicts_of(plan, |source, sender| source == Some(sender));
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-conflicts-with-records-of-other-peers",
        &[("7.3", Conduct)],
        "Logs no conflict with a record that came from another peer.",
        |policy| {
            policy.migration.apply = |plan| {
                apply_without_conflicts_of(plan, |source, sender| {
                    source.is_some_and(|source| source != sender)
                })
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-conflicts-of-other-kinds-than-the-root",
        &[("7.3", Conduct)],
        "Logs no conflict of a record of another kind than that of the root.",
        |policy| {
            policy.migration.apply = |plan| {
                let mut outcome = migration::apply(plan)?;
                let root = &plan.request.root_resource_kind;
                outcome.conflicts.retain(|conflict| conflict.resource_kind == *root);
                Ok(outcome)
            };
        },
    ),
    Patch::defect(
        "omits-late-conflicts-from-log",
        &[("7.3", Conduct)],
        "Omits conflicts at the seventh step or later from its log.",
        |policy| {
            policy.migration.claim_conflicts = |outcome| {
                outcome.conflicts.iter().filter(|conflict| conflict.step_order < 7).cloned().collect()
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-conflicts-of-opened-migration",
        &[("7.3", Conduct)],
        "Logs no conflict of a migration that was opened first.",
        |policy| policy.migration.apply = apply_without_log_if_opened,
    )
    .hard_to_reach(),
    Patch::defect(
        "drops-conflict-log-from-record",
        &[("7.3", Conduct)],
        "Reports a conflict once, but omits it from the migration's row.",
        |policy| policy.migration.override_migration = |migration| migration.conflict_log.clear(),
    ),
    Patch::defect(
        "invents-a-conflict",
        &[("7.3", Conduct)],
        "Logs a conflict that did not occur.",
        |policy| policy.migration.claim_conflicts = with_invented_conflict,
    ),
    Patch::defect(
        "invents-a-conflict-of-a-plan-without-any",
        &[("7.3", Conduct)],
        "Logs a conflict of the first step of a plan that had none.",
        |policy| {
            policy.migration.apply = |plan| {
                let mut outcome = migration::apply(plan)?;
                let steps = plan.steps_in_order();
                if let Some(first) = steps.first().filter(|_| outcome.conflicts.is_empty() && steps.len() > 1)
                {
                    outcome.conflicts.push(Conflict {
                        step_order: first.step_order,
                        resource_kind: first.resource_kind.clone(),
                        resource_id: first.resource_id.clone(),
                        constraint: Some("primary_key".to_owned()),
                        columns: vec!["id".to_owned()],
                        conflicting_record_id: Some(first.resource_id.clone()),
                        resolution: Some("skipped".to_owned()),
                        ..Conflict::default()
                    });
                }
                Ok(outcome)
            };
        },
    ),
    Patch::defect(
        "logs-taken-ids-as-renamed",
        &[("7.3", Conduct)],
        "Logs each conflict about a taken id as renamed.",
        |policy| {
            policy.migration.claim_conflicts = |outcome| {
                with_each_conflict(outcome, |conflict| {
                    if conflict.constraint.as_deref() == Some("primary_key") {
                        conflict.resolution = Some("renamed".to_owned());
                    }
                })
            };
        },
    ),
    Patch::defect(
        "names-another-record-as-the-conflicting-one",
        &[("7.3", Conduct)],
        "Names a record that does not exist as the one that a step conflicts with.",
        |policy| {
            policy.migration.claim_conflicts = |outcome| {
                with_each_conflict(outcome, |conflict| {
                    conflict.conflicting_record_id = Some(NO_RECORD.to_owned());
                })
            };
        },
    ),
    Patch::defect(
        "logs-every-conflict-as-skipped",
        &[("7.3", Conduct)],
        "Logs every conflict as skipped, whatever its resolution.",
        |policy| policy.migration.claim_conflicts = all_as_skipped,
    ),
];

/// The id of a record that does not exist.
const NO_RECORD: &str = "01970000-0000-7000-8000-00000000dead";

/// The number of characters of a text that are stored.
const LONGEST: usize = 255;

/// Returns the body of a record with other values where the function gives some, at any depth.
fn with_each_value(
    tx: &Transaction<'_>,
    step: &Step,
    account: &Value,
    change: fn(&Value) -> Option<Value>,
) -> Map<String, Value> {
    let mut body = migration::choose_body(tx, step, account);
    body.values_mut().for_each(|member| change_each(member, change));
    body
}

fn change_each(value: &mut Value, change: fn(&Value) -> Option<Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change_each(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| change_each(member, change)),
        other => {
            if let Some(changed) = change(other) {
                *other = changed;
            }
        }
    }
}

/// Returns an integer as a double has it; `None` for any other value.
fn rounded(value: &Value) -> Option<Value> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that is the defect")]
    value.as_i64().map(|number| json!(number as f64 as i64))
}

/// Applies a plan, and logs no conflict with a record that the condition holds for, by the peer that it came from and the one
/// that sends the plan.
fn apply_without_conflicts_of(
    plan: &Plan<'_>,
    is_left_out: fn(Option<&str>, &str) -> bool,
) -> Result<Outcome, Failure> {
    let mut left_out = Vec::new();
    for step in &plan.request.steps {
        let existing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?;
        if existing.is_some_and(|record| is_left_out(record.source_peer_id.as_deref(), &plan.peer.id)) {
            left_out.push(step.step_order);
        }
    }
    let mut outcome = migration::apply(plan)?;
    outcome.conflicts.retain(|conflict| !left_out.contains(&conflict.step_order));
    Ok(outcome)
}

fn apply_without_log_if_opened(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let mut outcome = migration::apply(plan)?;
    if plan.request.commit == Some(false) {
        outcome.conflicts.clear();
    }
    Ok(outcome)
}

fn claim_last_creation(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let steps = plan.steps_in_order();
    let created: Vec<i64> =
        steps.iter().filter(|step| step.action == action::CREATE).map(|step| step.step_order).collect();
    let is_new = records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?.is_none();
    if is_new && created.len() > 1 && created.last() == Some(&step.step_order) {
        outcome.applied += 1;
        return Ok(());
    }
    migration::apply_step(plan, step, outcome)
}

/// Returns whether the step creates a record that an earlier step of the plan created.
fn is_repeated_creation(plan: &Plan<'_>, step: &Step, outcome: &Outcome) -> Result<bool, Failure> {
    let is_same = |kind: &str, id: &str| kind == step.resource_kind && id == step.resource_id;
    let is_creation = plan.request.operation != operation::DELETE && step.action == action::CREATE;
    let is_earlier = |other: &&Step| other.step_order < step.step_order && other.action == action::CREATE;
    let mut earlier = plan.request.steps.iter().filter(is_earlier);
    let had_conflict =
        outcome.conflicts.iter().any(|conflict| is_same(&conflict.resource_kind, &conflict.resource_id));
    let is_repeated = is_creation
        && !had_conflict
        && earlier.any(|other| is_same(&other.resource_kind, &other.resource_id));
    Ok(is_repeated && records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?.is_some())
}

fn disclaim_repeated_creation(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let is_repeated = is_repeated_creation(plan, step, outcome)?;
    let skipped = outcome.skipped;
    migration::apply_step(plan, step, outcome)?;
    if is_repeated && outcome.skipped > skipped {
        outcome.skipped += 1;
        outcome.applied = outcome.applied.saturating_sub(1);
    }
    Ok(())
}

fn overwrite_by_copy(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    if plan.request.operation == operation::DUPLICATE && step.action == action::CREATE {
        records::remove(plan.tx.db, &step.resource_kind, &step.resource_id)?;
    }
    migration::apply_step(plan, step, outcome)
}

/// Applies a plan, unless one with the same root was applied before.
fn apply_first_of_root(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let earlier: Vec<Migration> = table::all(plan.tx.db)?;
    let is_same = |other: &&Migration| {
        other.status == "completed"
            && other.plan.operation == plan.request.operation
            && other.plan.root_resource_id == plan.request.root_resource_id
    };
    match earlier.iter().find(is_same) {
        Some(first) => Ok(Outcome {
            applied: first.applied_count,
            skipped: first.skipped_count,
            conflicts: first.conflict_log.clone(),
        }),
        None => migration::apply(plan),
    }
}

fn hide_deleted(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let earlier: Vec<Migration> = table::all(plan.tx.db)?;
    let has_step =
        |other: &Migration| other.plan.steps.iter().any(|known| known.resource_id == step.resource_id);
    let was_deleted = |other: &Migration| {
        other.status == "completed" && other.plan.operation == operation::DELETE && has_step(other)
    };
    if step.action == action::CREATE && earlier.iter().any(was_deleted) {
        outcome.applied += 1;
        return Ok(());
    }
    migration::apply_step(plan, step, outcome)
}

fn overwrite_earlier_step(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let is_skipped = step.conflict_policy.as_deref() == Some(policy::SKIP_IF_EXISTS);
    if is_skipped && is_repeated_creation(plan, step, outcome)? {
        records::remove(plan.tx.db, &step.resource_kind, &step.resource_id)?;
    }
    migration::apply_step(plan, step, outcome)
}

fn with_invented_conflict(outcome: &Outcome) -> Vec<Conflict> {
    let invented = Conflict {
        resource_kind: "skill".to_owned(),
        resource_id: NO_RECORD.to_owned(),
        constraint: Some("primary_key".to_owned()),
        columns: vec!["id".to_owned()],
        resolution: Some("skipped".to_owned()),
        ..Conflict::default()
    };
    let mut log = outcome.conflicts.clone();
    log.push(invented);
    log
}

fn all_as_skipped(outcome: &Outcome) -> Vec<Conflict> {
    with_each_conflict(outcome, |conflict| conflict.resolution = Some("skipped".to_owned()))
}

fn with_each_conflict(outcome: &Outcome, change: fn(&mut Conflict)) -> Vec<Conflict> {
    let mut log = outcome.conflicts.clone();
    log.iter_mut().for_each(change);
    log
}
