//! Commitment 7: migration hygiene.

mod afterwards;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::CheckResult;
use super::common::{is_undone, reply_summary};
use super::model::{
    PlannedStep, Preservation, Records, carried, planned_steps, record_shown, records, shows, was_touched,
};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::migration::{Conflict, MigrationRequest, MigrationView, action, policy};

const PLAN: LegacyParameter = LegacyParameter::required("plan", "label of the migration");
const COMMIT: LegacyParameter =
    LegacyParameter::optional("commit", "label of its commit, where it was opened first");
const BEFORE: LegacyParameter = LegacyParameter::required("before", "label of the look before it");
const AFTER: LegacyParameter = LegacyParameter::required("after", "label of the look after it");

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "migration-is-atomic",
        about: "a plan that failed, or whose answer never came, left nothing of itself, or all",
        parameters: &[
            PLAN,
            COMMIT,
            BEFORE,
            AFTER,
            LegacyParameter::optional(
                "control",
                "label of a plan like it, valid in the one thing: it has to be applied",
            ),
        ],
        evaluate: whole_or_nothing,
    },
    LegacyCheck {
        name: "migration-claims-match-records",
        about: "what a completed migration claims is what can be read back; of a plan that can't be done no success is claimed",
        parameters: &[PLAN, COMMIT, BEFORE, AFTER],
        evaluate: claims_are_true,
    },
    LegacyCheck {
        name: "conflicts-are-reported",
        about: "conflict_log has each conflict that there was, and no other",
        parameters: &[
            PLAN,
            COMMIT,
            BEFORE,
            AFTER,
            LegacyParameter::optional(
                "shown",
                "labels of later looks at the migration's record, the peer's or the operator's: evaluated is what they say",
            ),
        ],
        evaluate: conflicts_are_reported,
    },
    LegacyCheck {
        name: "ids-are-preserved",
        about: "every migrated record stands under its own id, with the references that it came with",
        parameters: &[
            PLAN,
            COMMIT,
            BEFORE,
            AFTER,
            LegacyParameter::optional(
                "control",
                "label of a plan that has to complete: then this one may be refused, and leave nothing",
            ),
        ],
        evaluate: identities_survive,
    },
    LegacyCheck {
        name: "no-sync-after-migration",
        about: "the target sends the peer no record of its own accord",
        parameters: &[
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required(
                "migration",
                "label of the migration: what was sent before it does not count",
            ),
            LegacyParameter::required("record", "label of the operation that changed the record"),
            LegacyParameter::required(
                "probe",
                "label of the valid calls made afterwards: the last has to be accepted",
            ),
        ],
        evaluate: afterwards::nothing_flows,
    },
    LegacyCheck {
        name: "originals-kept",
        about: "as source of a migration that went wrong, the target keeps its originals",
        parameters: &[
            LegacyParameter::required("migration", "label of the operation that sent it"),
            LegacyParameter::required("before", "label of the look before it"),
            LegacyParameter::required("after", "label, or labels, of the looks after it"),
        ],
        evaluate: afterwards::originals_kept,
    },
];

/// A migration as the trace shows it.
struct Migration {
    exchange: Exchange,
    plan: MigrationRequest,
    /// `true` if the migration was opened first: the exchange is that of its commit.
    was_opened: bool,
    before: Records,
    after: Records,
    evidence: Vec<u64>,
}

impl Migration {
    fn read(trace: &Trace, with: Arguments<'_>) -> Result<Self, CheckResult> {
        let unproven = |text: &str| CheckResult::unproven(text, vec![]);
        let (n, opening) = trace
            .exchanges_labelled(with.text("plan"))
            .next_back()
            .ok_or_else(|| unproven("the migration was not sent"))?;
        let plan = opening.sent().and_then(|sent| MigrationRequest::deserialize(sent).ok());
        let plan = plan.ok_or_else(|| unproven("the plan that was sent can't be read back"))?;
        // If the migration was not opened, that answer was final.
        let label = with.text_if_given("commit").filter(|_| opens(opening));
        let committed = label.and_then(|label| trace.exchanges_labelled(label).next_back());
        let was_opened = committed.is_some();
        let (n, exchange) = committed.unwrap_or((n, opening));
        let (mut evidence, before) =
            records(trace, with.text("before")).ok_or_else(|| unproven("no look at the records before"))?;
        let (seen_after, after) =
            records(trace, with.text("after")).ok_or_else(|| unproven("no look at the records after"))?;
        evidence.push(n);
        evidence.extend(seen_after);
        Ok(Self { exchange: exchange.clone(), plan, was_opened, before, after, evidence })
    }

    /// Returns the view of the migration in a successful answer.
    fn completed(&self) -> Option<MigrationView> {
        completed(&self.exchange)
    }

    /// Returns whether the answer says that the migration was not applied, under any status.
    fn has_failed(&self) -> bool {
        let says_so = || self.exchange.data().is_some_and(|data| is_undone(&data["status"]));
        self.exchange.status().is_some() && (!self.exchange.succeeded() || says_so())
    }

    /// Returns whether the migration was accepted and has not ended yet.
    fn is_pending(&self) -> bool {
        self.exchange.succeeded() && !self.has_failed() && self.completed().is_none()
    }

    /// Returns the conflict log of the answer, of a success or a refusal.
    fn conflict_log(&self) -> Option<Vec<Conflict>> {
        let members = match self.exchange.answer()? {
            Answer::Data(data) => data.get("conflict_log")?.clone(),
            Answer::Refusal(refusal) => refusal.extra.get("conflict_log")?.clone(),
        };
        Vec::deserialize(members).ok()
    }

    fn planned_steps(&self) -> Vec<PlannedStep<'_>> {
        planned_steps(&self.plan, &self.before)
    }

    /// Returns whether the record of a step differs from before in the content that the step carries.
    fn touched(&self, planned: &PlannedStep<'_>) -> bool {
        let looks = self.before.get(&planned.place).zip(self.after.get(&planned.place));
        looks.is_some_and(|(before, after)| was_touched(planned.step, before, after))
    }

    /// Returns the numbers of new, changed and missing records, in words.
    fn remains(&self) -> Option<String> {
        let new = self.after.keys().filter(|place| !self.before.contains_key(*place)).count();
        let gone = self.before.keys().filter(|place| !self.after.contains_key(*place)).count();
        let changed = self.planned_steps().iter().filter(|planned| self.touched(planned)).count();
        let any = new + gone + changed > 0;
        any.then(|| format!("{new} new, {changed} changed and {gone} missing records are there"))
    }
}

fn completed(exchange: &Exchange) -> Option<MigrationView> {
    let view = MigrationView::deserialize(exchange.data()?).ok()?;
    (exchange.succeeded() && view.status == "completed").then_some(view)
}

/// Returns whether the answer says that nothing is applied before the commit.
fn opens(exchange: &Exchange) -> bool {
    const ACCEPTED: u16 = 202;
    let says_so = exchange.data().is_some_and(|data| data["status"] == "transferring");
    exchange.succeeded() && (says_so || exchange.status() == Some(ACCEPTED))
}

/// Returns the result `unproven` if the check names a control plan by label and that plan was not done.
fn control_failed(trace: &Trace, with: Arguments<'_>) -> Option<CheckResult> {
    let label = with.text_if_given("control")?;
    let was_done = trace.exchanges_labelled(label).any(|(_, exchange)| completed(exchange).is_some());
    (!was_done).then(|| CheckResult::unproven("a valid plan was not done either", vec![]))
}

fn whole_or_nothing(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let migration = match Migration::read(trace, with) {
        Ok(migration) => migration,
        Err(unproven) => return unproven,
    };
    let answered = migration.exchange.status().is_some();
    let remains = migration.remains();
    let is_there =
        |planned: &PlannedStep<'_>| migration.after.contains_key(&planned.place) && !must_fail(planned);
    let all = migration
        .planned_steps()
        .iter()
        .all(|planned| planned.step.action != action::CREATE || is_there(planned));
    let says_both = migration.exchange.says_otherwise();
    let evidence = migration.evidence.clone();
    let result = match remains {
        _ if (answered && !migration.has_failed()) || (says_both && all) => {
            CheckResult::unproven("the plan was accepted, so that nothing failed", evidence)
        }
        None => control_failed(trace, with).unwrap_or_else(|| {
            CheckResult::kept(
                format!("{}; nothing of it is there", reply_summary(&migration.exchange)),
                evidence,
            )
        }),
        Some(_) if !answered && all => {
            CheckResult::kept("the answer was lost; the plan is there whole", evidence)
        }
        // A target that does not take the commit as a condition may have applied the plan before the commit
        // was asked for.
        Some(_) if migration.was_opened && all => {
            CheckResult::unproven("the plan is there whole, though its commit was refused", evidence)
        }
        Some(left) => {
            CheckResult::broken(format!("{}, and {left}", reply_summary(&migration.exchange)), evidence)
        }
    };
    let result = result.expecting("after a failure: the records as they were before");
    if answered { result } else { result.expecting("after a lost answer: all of the plan, or nothing of it") }
}

fn claims_are_true(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result
            .expecting("as many records created or overwritten as applied_count says, and each of them there")
    };
    let migration = match Migration::read(trace, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let evidence = migration.evidence.clone();
    let planned_steps = migration.planned_steps();
    let doomed =
        planned_steps.iter().find(|planned| must_fail(planned)).map(|planned| planned.step.step_order);
    let Some(view) = migration.completed() else {
        let actual = format!("no success was claimed: {}", reply_summary(&migration.exchange));
        return expect(if planned_steps.iter().any(stops) && migration.has_failed() {
            CheckResult::kept(actual, evidence)
        } else {
            CheckResult::unproven(actual, evidence)
        });
    };
    if let Some(order) = doomed {
        let actual =
            format!("success was claimed, and step {order} was to fail on the record that was there");
        return expect(CheckResult::broken(actual, evidence));
    }
    let log = migration.conflict_log();
    let count = Count::of(&migration, log.as_deref());
    if let Some(lost) = count.lost.first() {
        return expect(CheckResult::broken(
            format!("success was claimed, and {lost} is not there"),
            evidence,
        ));
    }
    let Some(claimed) = view.applied_count else {
        return expect(CheckResult::unproven("the answer has no applied_count", evidence));
    };
    let actual =
        format!("applied_count {claimed}, {} created, {} carried in all", count.created, count.carried);
    if claimed < count.created || claimed > count.carried {
        return expect(CheckResult::broken(actual, evidence));
    }
    expect(CheckResult::kept(actual, evidence))
}

/// The counts of the steps of a completed plan.
#[derive(Default)]
struct Count {
    /// The number of records that were not there before and are now.
    created: u64,
    /// The number of steps whose record is there as carried, or linked.
    carried: u64,
    /// The steps whose record is neither there nor reported as a conflict.
    lost: Vec<String>,
}

impl Count {
    fn of(migration: &Migration, log: Option<&[Conflict]>) -> Self {
        let mut count = Self::default();
        let planned_steps = migration.planned_steps();
        for planned in &planned_steps {
            // If several steps are about one record, only the last of them shows.
            let alone = planned_steps.iter().filter(|other| other.place == planned.place).count() == 1;
            let stored = migration.after.get(&planned.place);
            let is_reported = |conflict: &Conflict| conflict.step_order == planned.step.step_order;
            // Without a log it is unknown whether a step gave way to a record with its slug.
            let recorded = log.map_or(planned.may_meet, |log| log.iter().any(is_reported));
            match (planned.step.action.as_str(), stored) {
                (action::CREATE, Some(_)) if !planned.meets => {
                    count.created += 1;
                    count.carried += 1;
                }
                (action::CREATE, Some(stored)) if !alone || took_effect(migration, planned, stored) => {
                    count.carried += 1;
                }
                (action::CREATE, None) if !recorded => {
                    count.lost.push(format!("the {} of step {}", planned.place.0, planned.step.step_order));
                }
                (action::LINK_LOCAL, Some(_)) => count.carried += 1,
                _ => {}
            }
        }
        count
    }
}

/// Returns whether a step that met a record had an effect on it, as far as can be seen. The checks of
/// identities and references (7.4) evaluate whether the effect is the right one.
fn took_effect(migration: &Migration, planned: &PlannedStep<'_>, stored: &Map<String, Value>) -> bool {
    carried(planned.step, stored) == Preservation::Whole
        || migration.touched(planned)
        || !shows(planned.step, stored)
}

/// Returns whether the sender wants the whole plan to fail at this step.
fn must_fail(planned: &PlannedStep<'_>) -> bool {
    planned.meets && planned.step.conflict_policy.as_deref() == Some(policy::FAIL)
}

fn conflicts_are_reported(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(
            "one entry for each step that met a record, told as it was resolved, and no other entry",
        )
    };
    let migration = match Migration::read(trace, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let mut evidence = migration.evidence.clone();
    if migration.exchange.status().is_none() {
        return expect(CheckResult::unproven("the migration was not answered", evidence));
    }
    let recorded = recorded(trace, with, &migration);
    let Some(last) = recorded.last().map(|recorded| recorded.log.len()) else {
        return expect(CheckResult::unproven("no conflict_log was told", evidence));
    };
    evidence.extend(recorded.iter().filter_map(|recorded| recorded.n));
    if let Some(fault) = recorded.iter().find_map(|recorded| untrue(&migration, recorded)) {
        return expect(CheckResult::broken(fault, evidence));
    }
    expect(CheckResult::kept(format!("{last} entries, all true, none missing"), evidence))
}

/// A conflict log that was reported.
struct Told {
    /// The entry of the later read that reported it; `None` for the answer itself.
    n: Option<u64>,
    log: Vec<Conflict>,
    /// `true` if the plan was not applied.
    failed: bool,
}

/// Returns the logs to check: that of the answer, or those of later reads.
fn recorded(trace: &Trace, with: Arguments<'_>, migration: &Migration) -> Vec<Told> {
    let labels = with.texts("shown");
    if labels.is_empty() {
        let log = migration.conflict_log().filter(|_| !migration.is_pending());
        let failed = migration.has_failed() && !migration.exchange.says_otherwise();
        return log.into_iter().map(|log| Told { n: None, log, failed }).collect();
    }
    let looks = labels.into_iter().filter_map(|label| record_shown(trace, label));
    let recorded = looks.filter_map(|(n, record)| {
        let has_ended = record["status"] == "completed" || is_undone(&record["status"]);
        let log = Vec::deserialize(record.get("conflict_log")?).ok().filter(|_| has_ended)?;
        Some(Told { n: Some(n), log, failed: is_undone(&record["status"]) })
    });
    recorded.collect()
}

/// Returns the first false statement of a log, in words.
fn untrue(migration: &Migration, recorded: &Told) -> Option<String> {
    let planned_steps = migration.planned_steps();
    let untold = || {
        let owed = owed(&planned_steps, recorded.failed);
        let is_reported = |planned: &&PlannedStep<'_>| {
            recorded.log.iter().any(|entry| entry.step_order == planned.step.step_order)
        };
        owed.into_iter().find(|planned| !is_reported(planned))
    };
    untrue_entry(migration, &planned_steps, &recorded.log, recorded.failed).or_else(|| {
        untold().map(|planned| {
            format!(
                "step {} met the {} {} that was there, and conflict_log does not tell it",
                planned.step.step_order, planned.place.0, planned.place.1
            )
        })
    })
}

/// Returns the conflicts that have to be reported. A failed plan stopped at the step that could not proceed:
/// later steps met nothing, and earlier ones were undone. A plan that itself states a conflict, that asks for
/// a renaming, or that names a record twice may have been rejected before it met anything.
fn owed<'a, 'b>(planned_steps: &'b [PlannedStep<'a>], failed: bool) -> Vec<&'b PlannedStep<'a>> {
    if !failed {
        return planned_steps.iter().filter(|planned| planned.meets).collect();
    }
    let places: BTreeSet<_> = planned_steps.iter().map(|planned| &planned.place).collect();
    let is_refusable = |planned: &PlannedStep<'_>| {
        planned.step.action == action::CONFLICT
            || planned.step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX)
    };
    if planned_steps.iter().any(is_refusable) || places.len() < planned_steps.len() {
        return vec![];
    }
    planned_steps.iter().find(|planned| stops(planned)).into_iter().collect()
}

/// Returns whether a plan can't go on at this step: it meets a record, and its sender gave no resolution.
fn stops(planned: &PlannedStep<'_>) -> bool {
    let resolvable =
        matches!(planned.step.conflict_policy.as_deref(), Some(policy::SKIP_IF_EXISTS | policy::OVERWRITE));
    planned.meets && !resolvable
}

/// Returns the false statement of an entry of the log, in words.
fn untrue_entry(
    migration: &Migration,
    planned_steps: &[PlannedStep<'_>],
    log: &[Conflict],
    failed: bool,
) -> Option<String> {
    log.iter().find_map(|entry| {
        let about = format!("conflict_log tells of step {}", entry.step_order);
        let Some(planned) = planned_steps.iter().find(|planned| planned.step.step_order == entry.step_order)
        else {
            return Some(format!("{about}, and there is no such step"));
        };
        if entry.resource_id != planned.step.resource_id && !planned.may_meet {
            return Some(format!("{about} and names another record than the step does"));
        }
        let announced = planned.step.action != action::CREATE;
        if !planned.meets && !planned.may_meet && !announced {
            return Some(format!("{about}, which met nothing"));
        }
        let alone = planned_steps.iter().filter(|other| other.place == planned.place).count() == 1;
        let after = migration.after.get(&planned.place);
        // If several steps are about one record, the final state may be that of another step.
        match entry.resolution.as_deref().filter(|_| alone) {
            Some("skipped") if migration.touched(planned) => {
                Some(format!("{about} as skipped, and the record was changed"))
            }
            Some("overwritten")
                if !failed && !after.is_some_and(|stored| took_effect(migration, planned, stored)) =>
            {
                Some(format!("{about} as overwritten, and the record is as it was"))
            }
            _ => None,
        }
    })
}

fn identities_survive(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(
            "each created record under its own id and with its own references; no other new record",
        )
    };
    let migration = match Migration::read(trace, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let evidence = migration.evidence.clone();
    let planned_steps = migration.planned_steps();
    let strange = migration.after.keys().find(|place| {
        !migration.before.contains_key(*place) && planned_steps.iter().all(|planned| planned.place != **place)
    });
    if let Some((kind, id)) = strange {
        return expect(CheckResult::broken(
            format!("a {kind} stands under {id}, which no step names"),
            evidence,
        ));
    }
    let control_worked = with.text_if_given("control").is_some() && control_failed(trace, with).is_none();
    if migration.completed().is_none() {
        let actual = format!("nothing was migrated: {}", reply_summary(&migration.exchange));
        let is_known = migration.has_failed() && migration.remains().is_none();
        return expect(if control_worked && is_known {
            CheckResult::kept(actual, evidence)
        } else {
            CheckResult::unproven(actual, evidence)
        });
    }
    let creates: Vec<_> = planned_steps
        .iter()
        .filter(|planned| planned.step.action == action::CREATE && !planned.meets)
        .collect();
    if creates.is_empty() && !control_worked {
        return expect(CheckResult::unproven("the plan created nothing", evidence));
    }
    // A step whose conflict was resolved may carry another slug; a later step may have overwritten it.
    let touched_again = |planned: &PlannedStep<'_>| {
        planned_steps
            .iter()
            .any(|other| other.place == planned.place && other.step.step_order > planned.step.step_order)
    };
    let come_back = creates.into_iter().filter(|planned| !planned.may_meet && !touched_again(planned));
    let come_back = come_back
        .filter_map(|planned| Some((planned, carried(planned.step, migration.after.get(&planned.place)?))));
    match come_back.max_by_key(|(_, carried)| *carried) {
        Some((planned, Preservation::Changed)) => {
            let actual = format!(
                "the {} of step {} came back with other content",
                planned.place.0, planned.step.step_order
            );
            expect(CheckResult::broken(actual, evidence))
        }
        Some((planned, Preservation::Lacking)) => {
            let actual = format!(
                "the {} of step {} came back without a part of it",
                planned.place.0, planned.step.step_order
            );
            expect(CheckResult::unproven(actual, evidence))
        }
        Some((_, Preservation::Whole)) | None => {
            expect(CheckResult::kept("every id and every reference is the one that was sent", evidence))
        }
    }
}

#[cfg(test)]
mod tests;
