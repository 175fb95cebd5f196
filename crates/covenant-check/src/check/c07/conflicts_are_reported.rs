//! `conflicts-are-reported`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::migration::{Migration, completed, is_alone, stops};
use crate::check::arguments::{CaseLabel, Label, Labels};
use crate::check::definition::Check;
use crate::check::general::is_undone;
use crate::check::migration_model::PlannedStep;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, migration_shown};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::{Conflict, action, policy};
use covenant_model::wire::path::Route;

/// `conflict_log` has each conflict that the plan had, and no other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ConflictsAreReported {
    /// The migration that is checked.
    pub plan: Label,
    /// The commit of the plan, where it was opened first.
    pub commit: Option<CaseLabel>,
    /// The snapshot of the records before the plan.
    pub before: Label,
    /// The snapshot of the records after the plan.
    pub after: Label,
    /// Later snapshots of the migration's record, by the peer or by the operator. Their logs are evaluated
    /// instead of that of the answer.
    pub snapshot: Option<Labels>,
}

impl Check for ConflictsAreReported {
    const ID: &'static str = "conflicts-are-reported";
    const EXPECTED: &'static [&'static str] =
        &["one entry for each step that had a conflict, with its resolution, and no other entry"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let migration = Migration::read(trace, &self.plan, self.commit.as_ref(), &self.before, &self.after)?;
        if migration.call.exchange.status().is_none() {
            return Err(Stop::unproven("the migration was not answered", migration.evidence));
        }
        if migration.call.exchange.was_put_off() {
            let actual = format!("the migration was put off: {}", migration.call.summary());
            return Err(Stop::unproven(actual, migration.evidence));
        }
        let logs = self.logs(trace, &migration);
        let last = logs.last().or_unproven_at("no conflict_log was reported", &migration.evidence)?;
        let evidence = migration.evidence.iter().copied().chain(logs.iter().filter_map(|log| log.n));
        let evidence: Vec<u64> = evidence.collect();
        let faults = logs.iter().filter_map(|log| require_no_fault(&migration, trace, log, &evidence).err());
        if let Some(fault) = faults.min_by_key(|stop| !matches!(stop, Stop::Broken(_))) {
            return Err(fault);
        }
        Ok(Pass::new(format!("{} entries, all true, none missing", last.entries.len()), evidence))
    }
}

/// A reported conflict log.
struct ConflictLog {
    /// The number of the snapshot that reported it; `None` for the answer itself.
    n: Option<u64>,
    entries: Vec<Conflict>,
    /// `true` if the plan was not applied.
    has_failed: bool,
}

impl ConflictsAreReported {
    /// Returns the logs to evaluate: that of the answer, or those of later snapshots.
    fn logs(&self, trace: &Trace, migration: &Migration<'_>) -> Vec<ConflictLog> {
        let Some(labels) = &self.snapshot else {
            let entries = migration.conflict_log().filter(|_| !migration.is_pending());
            let has_failed = migration.has_failed() && !migration.call.exchange.says_otherwise();
            return entries.into_iter().map(|entries| ConflictLog { n: None, entries, has_failed }).collect();
        };
        let snapshots = labels.iter().filter_map(|label| migration_shown(trace, label));
        let logs = snapshots.filter_map(|(n, record)| {
            let has_failed = is_undone(&record["status"]);
            let has_ended = has_failed || record["status"] == "completed";
            let entries = Vec::deserialize(record.get("conflict_log")?).ok().filter(|_| has_ended)?;
            Some(ConflictLog { n: Some(n), entries, has_failed })
        });
        logs.collect()
    }
}

/// Ends the check if a log has a fault.
fn require_no_fault(
    migration: &Migration<'_>,
    trace: &Trace,
    log: &ConflictLog,
    evidence: &[u64],
) -> Result<(), Stop> {
    let planned_steps = migration.planned_steps();
    let false_entry =
        log.entries.iter().find_map(|entry| fault_of_entry(migration, &planned_steps, log, entry));
    if let Some(fault) = false_entry {
        return Err(Stop::broken(fault, evidence.iter().copied()));
    }
    let is_reported = |planned: &PlannedStep<'_>| {
        log.entries.iter().any(|entry| entry.step_order == planned.step.step_order)
    };
    let mut owed = owed(&planned_steps, log.has_failed).into_iter();
    let Some(missing) = owed.find(|planned| !is_reported(planned)) else { return Ok(()) };
    let (order, (kind, id)) = (missing.step.step_order, &missing.place);
    // A plan may be rejected for another reason, before any step is tried.
    if log.has_failed && log.entries.is_empty() && !was_applied(trace, planned_steps.len()) {
        let actual = format!(
            "the plan was refused and no conflict logged; no plan of {} steps was applied",
            planned_steps.len()
        );
        return Err(Stop::unproven(actual, evidence.iter().copied()));
    }
    let actual = format!(
        "step {order} collides with the {kind} {id} that existed, and conflict_log does not report it"
    );
    Err(Stop::broken(actual, evidence.iter().copied()))
}

/// Returns whether a plan of at least this number of steps was applied.
fn was_applied(trace: &Trace, steps: usize) -> bool {
    let plans = calls(trace).made_by_peer().on(Route::Migrations).accepted();
    plans.filter(|call| completed(call.exchange).is_some()).any(|call| {
        let sent = call.exchange.sent().and_then(|sent| sent["steps"].as_array());
        sent.is_some_and(|sent| sent.len() >= steps)
    })
}

/// Returns the conflicts that have to be reported. A failed plan stopped at the step that could not proceed:
/// later steps had no conflict, and earlier ones were undone. A plan that itself states a conflict, that asks
/// for a renaming, that links a record which is absent, or that names a record twice may have been rejected before it had any
/// conflict.
fn owed<'a, 'b>(planned_steps: &'b [PlannedStep<'a>], has_failed: bool) -> Vec<&'b PlannedStep<'a>> {
    if !has_failed {
        return planned_steps.iter().filter(|planned| planned.collides).collect();
    }
    let places: BTreeSet<_> = planned_steps.iter().map(|planned| &planned.place).collect();
    let is_refusable = |planned: &PlannedStep<'_>| {
        planned.step.action == action::CONFLICT
            || planned.step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX)
            || planned.links_nothing
    };
    if planned_steps.iter().any(is_refusable) || places.len() < planned_steps.len() {
        return vec![];
    }
    planned_steps.iter().find(|planned| stops(planned)).into_iter().collect()
}

/// Returns the fault of an entry of the log, in words.
fn fault_of_entry(
    migration: &Migration<'_>,
    planned_steps: &[PlannedStep<'_>],
    log: &ConflictLog,
    entry: &Conflict,
) -> Option<String> {
    let about = format!("conflict_log reports step {}", entry.step_order);
    let Some(planned) = planned_steps.iter().find(|planned| planned.step.step_order == entry.step_order)
    else {
        return Some(format!("{about}, and there is no such step"));
    };
    if entry.resource_id != planned.step.resource_id && !planned.may_collide {
        return Some(format!("{about} and names another record than the step does"));
    }
    let is_announced = planned.step.action != action::CREATE;
    if !planned.collides && !planned.may_collide && !is_announced {
        return Some(format!("{about}, which had no conflict"));
    }
    let has_effect = || {
        let stored = migration.after.get(&planned.place);
        stored.is_some_and(|stored| migration.took_effect(planned, stored))
    };
    if let Some(fault) = fault_of_primary_key(migration, planned, log, entry) {
        return Some(format!("{about} {fault}"));
    }
    // If several steps are about one record, the final state may be that of another step.
    match entry.resolution.as_deref().filter(|_| is_alone(planned, planned_steps)) {
        Some("skipped") if migration.has_changed(planned) => {
            Some(format!("{about} as skipped, and the record was changed"))
        }
        Some("overwritten") if !log.has_failed && !has_effect() => {
            Some(format!("{about} as overwritten, and the record is as it was"))
        }
        _ => None,
    }
}

/// Returns the fault of an entry about a record whose id is taken, in words: in a plan that was applied such a step is skipped
/// or overwrites, since an id never changes (7.4) and a step that fails fails the plan. What the entry does not say is open.
fn fault_of_primary_key(
    migration: &Migration<'_>,
    planned: &PlannedStep<'_>,
    log: &ConflictLog,
    entry: &Conflict,
) -> Option<String> {
    let is_of_slug =
        planned.may_collide || entry.constraint.as_deref().is_some_and(|name| name != "primary_key");
    if !planned.collides || is_of_slug {
        return None;
    }
    let resolution = entry.resolution.as_deref().filter(|text| ["renamed", "failed"].contains(text));
    if let Some(resolution) = resolution.filter(|_| !log.has_failed) {
        return Some(format!("as {resolution}, and its id was taken in a plan that was applied"));
    }
    let other = entry.conflicting_record_id.as_deref().filter(|id| !is_same_id(id, &planned.place.1))?;
    // A platform may name a record by a number of its own.
    let is_known = migration.before.keys().any(|(_, id)| id == other) || uuid::Uuid::parse_str(other).is_ok();
    is_known.then(|| format!("as one with {other}, and the record that existed is {}", planned.place.1))
}

fn is_same_id(one: &str, other: &str) -> bool {
    let id = |text: &str| uuid::Uuid::parse_str(text).ok();
    one == other || id(one).is_some_and(|one| id(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{
        call, conflict, done, failing, migrated, plan, renaming, row, step, transfer, with_labels,
        with_policy,
    };
    use covenant_model::transcript::Direction;
    use serde_json::{Value, json};

    #[test]
    fn a_record_that_each_peer_has_for_itself_collides_with_none() {
        let verdict = |after: &Value| {
            migrated(&json!([row("1")]), &json!([step(1, "1")]), 201, &done(1, &json!([])), after)
                .verdict::<ConflictsAreReported>(with_labels(&[]))
        };
        assert_eq!(verdict(&json!([row("1")])), Broken);
        assert_eq!(verdict(&json!([row("1"), row("1")])), Unproven);
    }

    #[test]
    fn a_hidden_an_invented_and_a_misreported_conflict_are_broken() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        let both = json!([row("1"), row("2")]);
        for (log, expected) in [
            (json!([conflict(1, "1", "skipped")]), Kept),
            (json!([]), Broken),
            (json!([conflict(1, "1", "skipped"), conflict(2, "2", "skipped")]), Broken),
            (json!([conflict(1, "1", "skipped"), conflict(9, "9", "skipped")]), Broken),
            (json!([conflict(1, "other", "skipped")]), Broken),
        ] {
            let builder = migrated(&json!([row("1")]), &steps, 201, &done(1, &log), &both);
            assert_eq!(builder.verdict::<ConflictsAreReported>(with_labels(&[])), expected, "{log}");
        }
        let completed = json!({"data": {"status": "completed"}});
        let without_log = migrated(&json!([row("1")]), &steps, 201, &completed, &both);
        assert_eq!(without_log.verdict::<ConflictsAreReported>(with_labels(&[])), Unproven);
    }

    #[test]
    fn a_taken_id_is_neither_renamed_nor_that_of_another_record() {
        const OTHER: &str = "01a20000-0000-7000-8000-000000000009";
        let verdict = |more: Value| {
            let mut entry = json!({"step_order": 1, "resource_kind": "skill", "resource_id": "1"});
            entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let rows = json!([row("1"), row("2")]);
            migrated(&rows, &json!([step(1, "1")]), 201, &done(0, &json!([entry])), &rows)
                .verdict::<ConflictsAreReported>(with_labels(&[]))
        };
        assert_eq!(verdict(json!({})), Kept);
        assert_eq!(verdict(json!({"resolution": "skipped", "conflicting_record_id": "1"})), Kept);
        assert_eq!(verdict(json!({"resolution": "renamed"})), Broken);
        assert_eq!(verdict(json!({"resolution": "failed"})), Broken);
        assert_eq!(verdict(json!({"resolution": "skipped", "conflicting_record_id": "2"})), Broken);
        assert_eq!(verdict(json!({"resolution": "skipped", "conflicting_record_id": OTHER})), Broken);
        assert_eq!(
            verdict(json!({"resolution": "skipped", "conflicting_record_id": "42"})),
            Kept,
            "its own number"
        );
        assert_eq!(verdict(json!({"resolution": "renamed", "constraint": "unique"})), Kept);
    }

    #[test]
    fn a_plan_may_be_rejected_before_it_has_a_conflict() {
        let refused = json!({"error": "no", "conflict_log": []});
        let mut announced = step(2, "2");
        announced["action"] = json!("conflict");
        for (steps, expected) in [
            (json!([failing(step(1, "1"))]), Broken),
            (json!([failing(step(1, "1")), announced]), Kept),
            (json!([failing(step(1, "1")), failing(step(2, "1"))]), Kept),
            (json!([renaming(step(1, "1"))]), Kept),
        ] {
            let existing = json!([row("1")]);
            let builder = migrated(&existing, &steps, 422, &refused, &existing);
            let verdict = builder.verdict::<ConflictsAreReported>(with_labels(&[]));
            let alone = if expected == Broken { Unproven } else { expected };
            assert_eq!(verdict, alone, "{steps}: it may be refused for another reason");
            let control = plan(&json!([step(1, "8"), step(2, "9")]));
            let builder = transfer(builder, "control", control, 201, &done(2, &json!([])));
            assert_eq!(builder.verdict::<ConflictsAreReported>(with_labels(&[])), expected, "{steps}");
        }
    }

    #[test]
    fn a_plan_that_was_put_off_had_no_conflict() {
        let steps = json!([step(1, "1")]);
        for status in [429, 503, 504] {
            let put_off = json!({"error": "later", "conflict_log": []});
            let builder = migrated(&json!([row("1")]), &steps, status, &put_off, &json!([row("1")]));
            assert_eq!(builder.verdict::<ConflictsAreReported>(with_labels(&[])), Unproven, "{status}");
        }
    }

    #[test]
    fn the_log_of_a_pending_migration_is_not_final() {
        let steps = json!([step(1, "1")]);
        let pending = json!({"data": {"status": "applying", "conflict_log": []}});
        let builder = migrated(&json!([row("1")]), &steps, 202, &pending, &json!([row("1")]));
        assert_eq!(builder.verdict::<ConflictsAreReported>(with_labels(&[])), Unproven);
    }

    #[test]
    fn a_member_that_a_list_does_not_show_contradicts_no_resolution() {
        let steps = json!([with_policy(step(1, "1"), "overwrite")]);
        let log = json!([conflict(1, "1", "overwritten")]);
        for (record, expected) in
            [(json!({"id": "1", "ref": {"parent_id": "old"}}), Broken), (json!({"id": "1"}), Kept)]
        {
            let listed = json!([{"kind": "skill", "id": "1", "record": record}]);
            let builder = migrated(&listed, &steps, 201, &done(1, &log), &listed);
            assert_eq!(builder.verdict::<ConflictsAreReported>(with_labels(&[])), expected, "{record}");
        }
    }

    #[test]
    fn later_snapshots_have_to_report_the_conflicts_too() {
        let reported = done(0, &json!([conflict(1, "1", "skipped")]));
        let evaluated = |to_peer: &Value, to_operator: &Value| {
            let route = Route::Migration { id: "m".to_owned() };
            let mut with = with_labels(&[]);
            with["snapshot"] = json!(["shown", "recorded"]);
            migrated(&json!([row("1")]), &json!([step(1, "1")]), 201, &reported, &json!([row("1")]))
                .call("shown", call(Direction::ToTarget, &route, Value::Null, 200, to_peer))
                .operation("recorded", "migration.show", to_operator["data"].clone())
                .verdict::<ConflictsAreReported>(with)
        };
        let without_log = json!({"data": {"status": "completed"}});
        assert_eq!(evaluated(&reported, &reported), Kept);
        assert_eq!(evaluated(&without_log, &reported), Kept);
        assert_eq!(evaluated(&reported, &done(0, &json!([]))), Broken);
        assert_eq!(evaluated(&done(0, &json!([])), &reported), Broken);
        assert_eq!(evaluated(&without_log, &without_log), Unproven);
    }
}
