//! Commitment 7: migration hygiene.

mod afterwards;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::common::{is_undone, outcome};
use super::judge::Parameter;
use super::model::{Carried, Records, Visit, carried, record_shown, records, shows, walk, was_touched};
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Exchange, Story};
use crate::wire::envelope::Answer;
use crate::wire::migration::{Conflict, MigrationRequest, MigrationView, action, policy};

const PLAN: Parameter = Parameter::required("plan", "label of the migration");
const COMMIT: Parameter = Parameter::optional("commit", "label of its commit, where it was opened first");
const BEFORE: Parameter = Parameter::required("before", "label of the look before it");
const AFTER: Parameter = Parameter::required("after", "label of the look after it");

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "whole-or-nothing",
        about: "a plan that failed, or whose answer never came, left nothing of itself, or all",
        parameters: &[
            PLAN,
            COMMIT,
            BEFORE,
            AFTER,
            Parameter::optional(
                "twin",
                "label of a plan like it, lawful in the one thing: it has to be applied",
            ),
        ],
        decide: whole_or_nothing,
    },
    Judge {
        name: "claims-are-true",
        about: "what a completed migration claims is what can be read back; of a plan that can't be done no success is claimed",
        parameters: &[PLAN, COMMIT, BEFORE, AFTER],
        decide: claims_are_true,
    },
    Judge {
        name: "conflicts-are-told",
        about: "conflict_log has each conflict that there was, and no other",
        parameters: &[
            PLAN,
            COMMIT,
            BEFORE,
            AFTER,
            Parameter::optional(
                "shown",
                "labels of later looks at the migration's record, the peer's or the operator's: judged is what they say",
            ),
        ],
        decide: conflicts_are_told,
    },
    Judge {
        name: "identities-survive",
        about: "every migrated record stands under its own id, with the references that it came with",
        parameters: &[
            PLAN,
            COMMIT,
            BEFORE,
            AFTER,
            Parameter::optional(
                "twin",
                "label of a plan that has to complete: then this one may be refused, and leave nothing",
            ),
        ],
        decide: identities_survive,
    },
    Judge {
        name: "nothing-flows",
        about: "the target sends the peer no record of its own accord",
        parameters: &[
            Parameter::required("peer", "the peer's name"),
            Parameter::required(
                "migration",
                "label of the migration: what was sent before it does not count",
            ),
            Parameter::required("record", "label of the operation that changed the record"),
            Parameter::required(
                "probe",
                "label of the lawful calls made afterwards: the last has to be accepted",
            ),
        ],
        decide: afterwards::nothing_flows,
    },
    Judge {
        name: "originals-kept",
        about: "as source of a migration that went wrong, the target keeps its originals",
        parameters: &[
            Parameter::required("migration", "label of the operation that sent it"),
            Parameter::required("before", "label of the look before it"),
            Parameter::required("after", "label, or labels, of the looks after it"),
        ],
        decide: afterwards::originals_kept,
    },
];

/// A migration as the story shows it.
struct Migration {
    exchange: Exchange,
    plan: MigrationRequest,
    /// Whether it was opened first: the exchange is its commit's.
    was_opened: bool,
    before: Records,
    after: Records,
    evidence: Vec<u64>,
}

impl Migration {
    fn read(story: &Story, with: Arguments<'_>) -> Result<Self, Judgement> {
        let unproven = |text: &str| Judgement::unproven(text, vec![]);
        let (n, opening) = story
            .exchanges_labelled(with.text("plan"))
            .next_back()
            .ok_or_else(|| unproven("the migration was not sent"))?;
        let plan = opening.sent().and_then(|sent| MigrationRequest::deserialize(sent).ok());
        let plan = plan.ok_or_else(|| unproven("the plan that was sent can't be read back"))?;
        // Where it was not opened, that answer was the last word on it.
        let label = with.text_if_given("commit").filter(|_| opens(opening));
        let committed = label.and_then(|label| story.exchanges_labelled(label).next_back());
        let was_opened = committed.is_some();
        let (n, exchange) = committed.unwrap_or((n, opening));
        let (mut evidence, before) =
            records(story, with.text("before")).ok_or_else(|| unproven("no look at the records before"))?;
        let (seen_after, after) =
            records(story, with.text("after")).ok_or_else(|| unproven("no look at the records after"))?;
        evidence.push(n);
        evidence.extend(seen_after);
        Ok(Self { exchange: exchange.clone(), plan, was_opened, before, after, evidence })
    }

    /// What a success says of itself.
    fn completed(&self) -> Option<MigrationView> {
        completed(&self.exchange)
    }

    /// Whether it was answered that nothing came of it, under whatever status.
    fn has_failed(&self) -> bool {
        let says_so = || self.exchange.data().is_some_and(|data| is_undone(&data["status"]));
        self.exchange.status().is_some() && (!self.exchange.succeeded() || says_so())
    }

    /// Whether it was taken, and its end is yet to come.
    fn is_pending(&self) -> bool {
        self.exchange.succeeded() && !self.has_failed() && self.completed().is_none()
    }

    /// The conflict log of the answer, whichever way it went.
    fn conflict_log(&self) -> Option<Vec<Conflict>> {
        let members = match self.exchange.answer()? {
            Answer::Data(data) => data.get("conflict_log")?.clone(),
            Answer::Refusal(refusal) => refusal.extra.get("conflict_log")?.clone(),
        };
        Vec::deserialize(members).ok()
    }

    fn walk(&self) -> Vec<Visit<'_>> {
        walk(&self.plan, &self.before)
    }

    /// Whether the record of a step is another than before, in what the step carries of it.
    fn touched(&self, visit: &Visit<'_>) -> bool {
        let looks = self.before.get(&visit.place).zip(self.after.get(&visit.place));
        looks.is_some_and(|(before, after)| was_touched(visit.step, before, after))
    }

    /// What is there of it, or gone, in words.
    fn remains(&self) -> Option<String> {
        let new = self.after.keys().filter(|place| !self.before.contains_key(*place)).count();
        let gone = self.before.keys().filter(|place| !self.after.contains_key(*place)).count();
        let changed = self.walk().iter().filter(|visit| self.touched(visit)).count();
        let any = new + gone + changed > 0;
        any.then(|| format!("{new} new, {changed} changed and {gone} missing records are there"))
    }
}

fn completed(exchange: &Exchange) -> Option<MigrationView> {
    let view = MigrationView::deserialize(exchange.data()?).ok()?;
    (exchange.succeeded() && view.status == "completed").then_some(view)
}

/// Whether it was answered that nothing is applied before the commit.
fn opens(exchange: &Exchange) -> bool {
    const ACCEPTED: u16 = 202;
    let says_so = exchange.data().is_some_and(|data| data["status"] == "transferring");
    exchange.succeeded() && (says_so || exchange.status() == Some(ACCEPTED))
}

/// Whether a plan by that label was done, where one is named.
fn twin_failed(story: &Story, with: Arguments<'_>) -> Option<Judgement> {
    let label = with.text_if_given("twin")?;
    let was_done = story.exchanges_labelled(label).any(|(_, exchange)| completed(exchange).is_some());
    (!was_done).then(|| Judgement::unproven("a lawful plan was not done either", vec![]))
}

fn whole_or_nothing(story: &Story, with: Arguments<'_>) -> Judgement {
    let migration = match Migration::read(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return unproven,
    };
    let answered = migration.exchange.status().is_some();
    let remains = migration.remains();
    let is_there = |visit: &Visit<'_>| migration.after.contains_key(&visit.place) && !must_fail(visit);
    let all = migration.walk().iter().all(|visit| visit.step.action != action::CREATE || is_there(visit));
    let says_both = migration.exchange.says_otherwise();
    let evidence = migration.evidence.clone();
    let judgement = match remains {
        _ if (answered && !migration.has_failed()) || (says_both && all) => {
            Judgement::unproven("the plan was accepted, so that nothing failed", evidence)
        }
        None => twin_failed(story, with).unwrap_or_else(|| {
            Judgement::kept(format!("{}; nothing of it is there", outcome(&migration.exchange)), evidence)
        }),
        Some(_) if !answered && all => {
            Judgement::kept("the answer was lost; the plan is there whole", evidence)
        }
        // What takes a commit for no condition may have applied it before it was asked to.
        Some(_) if migration.was_opened && all => {
            Judgement::unproven("the plan is there whole, though its commit was refused", evidence)
        }
        Some(left) => Judgement::broken(format!("{}, and {left}", outcome(&migration.exchange)), evidence),
    };
    let judgement = judgement.expecting("after a failure: the records as they were before");
    if answered {
        judgement
    } else {
        judgement.expecting("after a lost answer: all of the plan, or nothing of it")
    }
}

fn claims_are_true(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement
            .expecting("as many records created or overwritten as applied_count says, and each of them there")
    };
    let migration = match Migration::read(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let evidence = migration.evidence.clone();
    let visits = migration.walk();
    let doomed = visits.iter().find(|visit| must_fail(visit)).map(|visit| visit.step.step_order);
    let Some(view) = migration.completed() else {
        let actual = format!("no success was claimed: {}", outcome(&migration.exchange));
        return expect(if visits.iter().any(stops) && migration.has_failed() {
            Judgement::kept(actual, evidence)
        } else {
            Judgement::unproven(actual, evidence)
        });
    };
    if let Some(order) = doomed {
        let actual =
            format!("success was claimed, and step {order} was to fail on the record that was there");
        return expect(Judgement::broken(actual, evidence));
    }
    let log = migration.conflict_log();
    let count = Count::of(&migration, log.as_deref());
    if let Some(lost) = count.lost.first() {
        return expect(Judgement::broken(format!("success was claimed, and {lost} is not there"), evidence));
    }
    let Some(claimed) = view.applied_count else {
        return expect(Judgement::unproven("the answer has no applied_count", evidence));
    };
    let actual =
        format!("applied_count {claimed}, {} created, {} carried in all", count.created, count.carried);
    if claimed < count.created || claimed > count.carried {
        return expect(Judgement::broken(actual, evidence));
    }
    expect(Judgement::kept(actual, evidence))
}

/// What came of the steps of a completed plan.
#[derive(Default)]
struct Count {
    /// Records that were not there before and are now.
    created: u64,
    /// Steps whose record is there as carried, or linked.
    carried: u64,
    /// Steps whose record is neither there nor told as a conflict.
    lost: Vec<String>,
}

impl Count {
    fn of(migration: &Migration, log: Option<&[Conflict]>) -> Self {
        let mut count = Self::default();
        let visits = migration.walk();
        for visit in &visits {
            // Where several steps are about one record, only the last of them shows.
            let alone = visits.iter().filter(|other| other.place == visit.place).count() == 1;
            let stored = migration.after.get(&visit.place);
            let is_told = |conflict: &Conflict| conflict.step_order == visit.step.step_order;
            // Without a log it can't be told that a step gave way to a record with its slug.
            let told = log.map_or(visit.may_meet, |log| log.iter().any(is_told));
            match (visit.step.action.as_str(), stored) {
                (action::CREATE, Some(_)) if !visit.meets => {
                    count.created += 1;
                    count.carried += 1;
                }
                (action::CREATE, Some(stored)) if !alone || took_effect(migration, visit, stored) => {
                    count.carried += 1;
                }
                (action::CREATE, None) if !told => {
                    count.lost.push(format!("the {} of step {}", visit.place.0, visit.step.step_order));
                }
                (action::LINK_LOCAL, Some(_)) => count.carried += 1,
                _ => {}
            }
        }
        count
    }
}

/// Whether a step that met a record had an effect on it, as far as can be seen. Whether it is the right
/// one is asked of identities and references (7.4).
fn took_effect(migration: &Migration, visit: &Visit<'_>, stored: &Map<String, Value>) -> bool {
    carried(visit.step, stored) == Carried::Whole || migration.touched(visit) || !shows(visit.step, stored)
}

/// Whether its sender wants the whole plan to fail at this step.
fn must_fail(visit: &Visit<'_>) -> bool {
    visit.meets && visit.step.conflict_policy.as_deref() == Some(policy::FAIL)
}

fn conflicts_are_told(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(
            "one entry for each step that met a record, told as it was resolved, and no other entry",
        )
    };
    let migration = match Migration::read(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let mut evidence = migration.evidence.clone();
    if migration.exchange.status().is_none() {
        return expect(Judgement::unproven("the migration was not answered", evidence));
    }
    let told = told(story, with, &migration);
    let Some(last) = told.last().map(|told| told.log.len()) else {
        return expect(Judgement::unproven("no conflict_log was told", evidence));
    };
    evidence.extend(told.iter().filter_map(|told| told.n));
    if let Some(fault) = told.iter().find_map(|told| untrue(&migration, told)) {
        return expect(Judgement::broken(fault, evidence));
    }
    expect(Judgement::kept(format!("{last} entries, all true, none missing"), evidence))
}

/// A conflict log that was told.
struct Told {
    /// The later look that told it; none is the answer itself.
    n: Option<u64>,
    log: Vec<Conflict>,
    /// Whether nothing came of the plan.
    failed: bool,
}

/// The logs that are asked about: the answer's, or those of later looks.
fn told(story: &Story, with: Arguments<'_>, migration: &Migration) -> Vec<Told> {
    let labels = with.texts("shown");
    if labels.is_empty() {
        let log = migration.conflict_log().filter(|_| !migration.is_pending());
        let failed = migration.has_failed() && !migration.exchange.says_otherwise();
        return log.into_iter().map(|log| Told { n: None, log, failed }).collect();
    }
    let looks = labels.into_iter().filter_map(|label| record_shown(story, label));
    let told = looks.filter_map(|(n, record)| {
        let has_ended = record["status"] == "completed" || is_undone(&record["status"]);
        let log = Vec::deserialize(record.get("conflict_log")?).ok().filter(|_| has_ended)?;
        Some(Told { n: Some(n), log, failed: is_undone(&record["status"]) })
    });
    told.collect()
}

/// What is not true of a log, in words.
fn untrue(migration: &Migration, told: &Told) -> Option<String> {
    let visits = migration.walk();
    let untold = || {
        let owed = owed(&visits, told.failed);
        let is_told =
            |visit: &&Visit<'_>| told.log.iter().any(|entry| entry.step_order == visit.step.step_order);
        owed.into_iter().find(|visit| !is_told(visit))
    };
    untrue_entry(migration, &visits, &told.log, told.failed).or_else(|| {
        untold().map(|visit| {
            format!(
                "step {} met the {} {} that was there, and conflict_log does not tell it",
                visit.step.step_order, visit.place.0, visit.place.1
            )
        })
    })
}

/// The conflicts that have to be told. A plan that failed stopped where it could not go on: what came
/// after that was never met, and what came before it was undone. One that says itself that it does not
/// fit, that asks for a renaming, or that names a record twice may have been turned away before it met
/// anything.
fn owed<'a, 'b>(visits: &'b [Visit<'a>], failed: bool) -> Vec<&'b Visit<'a>> {
    if !failed {
        return visits.iter().filter(|visit| visit.meets).collect();
    }
    let places: BTreeSet<_> = visits.iter().map(|visit| &visit.place).collect();
    let is_refusable = |visit: &Visit<'_>| {
        visit.step.action == action::CONFLICT
            || visit.step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX)
    };
    if visits.iter().any(is_refusable) || places.len() < visits.len() {
        return vec![];
    }
    visits.iter().find(|visit| stops(visit)).into_iter().collect()
}

/// Whether a plan can't go on at this step: it meets what its sender gave it no way round.
fn stops(visit: &Visit<'_>) -> bool {
    let resolvable =
        matches!(visit.step.conflict_policy.as_deref(), Some(policy::SKIP_IF_EXISTS | policy::OVERWRITE));
    visit.meets && !resolvable
}

/// What is not true of an entry of the log, in words.
fn untrue_entry(
    migration: &Migration,
    visits: &[Visit<'_>],
    log: &[Conflict],
    failed: bool,
) -> Option<String> {
    log.iter().find_map(|entry| {
        let about = format!("conflict_log tells of step {}", entry.step_order);
        let Some(visit) = visits.iter().find(|visit| visit.step.step_order == entry.step_order) else {
            return Some(format!("{about}, and there is no such step"));
        };
        if entry.resource_id != visit.step.resource_id && !visit.may_meet {
            return Some(format!("{about} and names another record than the step does"));
        }
        let announced = visit.step.action != action::CREATE;
        if !visit.meets && !visit.may_meet && !announced {
            return Some(format!("{about}, which met nothing"));
        }
        let alone = visits.iter().filter(|other| other.place == visit.place).count() == 1;
        let after = migration.after.get(&visit.place);
        // Where several steps are about one record, the last word on it is another's.
        match entry.resolution.as_deref().filter(|_| alone) {
            Some("skipped") if migration.touched(visit) => {
                Some(format!("{about} as skipped, and the record was changed"))
            }
            Some("overwritten")
                if !failed && !after.is_some_and(|stored| took_effect(migration, visit, stored)) =>
            {
                Some(format!("{about} as overwritten, and the record is as it was"))
            }
            _ => None,
        }
    })
}

fn identities_survive(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(
            "each created record under its own id and with its own references; no other new record",
        )
    };
    let migration = match Migration::read(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let evidence = migration.evidence.clone();
    let visits = migration.walk();
    let strange = migration.after.keys().find(|place| {
        !migration.before.contains_key(*place) && visits.iter().all(|visit| visit.place != **place)
    });
    if let Some((kind, id)) = strange {
        return expect(Judgement::broken(
            format!("a {kind} stands under {id}, which no step names"),
            evidence,
        ));
    }
    let twin_worked = with.text_if_given("twin").is_some() && twin_failed(story, with).is_none();
    if migration.completed().is_none() {
        let actual = format!("nothing was migrated: {}", outcome(&migration.exchange));
        let is_known = migration.has_failed() && migration.remains().is_none();
        return expect(if twin_worked && is_known {
            Judgement::kept(actual, evidence)
        } else {
            Judgement::unproven(actual, evidence)
        });
    }
    let creates: Vec<_> =
        visits.iter().filter(|visit| visit.step.action == action::CREATE && !visit.meets).collect();
    if creates.is_empty() && !twin_worked {
        return expect(Judgement::unproven("the plan created nothing", evidence));
    }
    // A step whose conflict was resolved may carry another slug; a later step may have overwritten it.
    let touched_again = |visit: &Visit<'_>| {
        visits.iter().any(|other| other.place == visit.place && other.step.step_order > visit.step.step_order)
    };
    let come_back = creates.into_iter().filter(|visit| !visit.may_meet && !touched_again(visit));
    let come_back =
        come_back.filter_map(|visit| Some((visit, carried(visit.step, migration.after.get(&visit.place)?))));
    match come_back.max_by_key(|(_, carried)| *carried) {
        Some((visit, Carried::Changed)) => {
            let actual = format!(
                "the {} of step {} came back with other content",
                visit.place.0, visit.step.step_order
            );
            expect(Judgement::broken(actual, evidence))
        }
        Some((visit, Carried::Lacking)) => {
            let actual = format!(
                "the {} of step {} came back without a part of it",
                visit.place.0, visit.step.step_order
            );
            expect(Judgement::unproven(actual, evidence))
        }
        Some((_, Carried::Whole)) | None => {
            expect(Judgement::kept("every id and every reference is the one that was sent", evidence))
        }
    }
}

#[cfg(test)]
mod tests;
