//! Commitment 7: migration hygiene.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::common::outcome;
use super::judge::Parameter;
use super::model::{
    Carried, Records, Visit, carried, mentions, record_shown, records, shows, walk, was_touched,
};
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Operation, Story};
use crate::wire::envelope::Answer;
use crate::wire::migration::{Conflict, MigrationRequest, MigrationView, action, policy};
use crate::wire::path::Route;

/// States in which a migration has ended, and was not applied.
const UNDONE: [&str; 3] = ["failed", "cancelled", "conflict"];

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
            Parameter::required("probe", "label of a lawful call made afterwards"),
        ],
        decide: nothing_flows,
    },
    Judge {
        name: "originals-kept",
        about: "as source of a migration that went wrong, the target keeps its originals",
        parameters: &[
            Parameter::required("migration", "label of the operation that sent it"),
            Parameter::required("before", "label of the look before it"),
            Parameter::required("after", "label, or labels, of the looks after it"),
        ],
        decide: originals_kept,
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

fn is_undone(status: &Value) -> bool {
    status.as_str().is_some_and(|status| UNDONE.contains(&status))
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

fn nothing_flows(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("no sync and no migration from the target");
    let migrated = story.labelled(with.text("migration")).next().map(|entry| entry.n);
    let (Some(migrated), Some((changed, operation))) = (migrated, story.operation(with.text("record")))
    else {
        return expect(Judgement::unproven("nothing was migrated and then changed", vec![]));
    };
    let probe = story.exchanges_labelled(with.text("probe")).find(|(_, exchange)| exchange.succeeded());
    let Some((probe, _)) = probe else {
        return expect(Judgement::unproven("the peering did not work afterwards", vec![changed]));
    };
    let record = Changed::by(operation);
    let flowed = story.exchanges_of(with.text("peer"), Direction::FromTarget).find(|(entry, exchange)| {
        let after = if exchange.route() == Some(Route::Sync) { migrated } else { changed };
        entry.n > after && record.flows_in(exchange)
    });
    match flowed {
        Some((entry, exchange)) => expect(Judgement::broken(
            format!("the target sent it all the same: {}", outcome(exchange)),
            vec![changed, entry.n],
        )),
        None => match of_another_form(story, with.text("peer"), migrated) {
            Some(n) => expect(Judgement::unproven("a sync of another form", vec![changed, n])),
            None => expect(Judgement::kept("nothing flowed", vec![migrated, changed, probe])),
        },
    }
}

/// A sync since then of which it can't be read what it takes along.
fn of_another_form(story: &Story, peer: &str, since: u64) -> Option<u64> {
    let is_open = |exchange: &Exchange| {
        let sent = exchange.sent();
        exchange.route() == Some(Route::Sync)
            && sent.is_none_or(|sent| !sent["resource_kind"].is_string() || !sent["records"].is_array())
    };
    let mut calls = story.exchanges_of(peer, Direction::FromTarget);
    calls.find(|(entry, exchange)| entry.n > since && is_open(exchange)).map(|(entry, _)| entry.n)
}

/// The record that was changed.
struct Changed<'a> {
    kind: &'a str,
    id: &'a str,
}

impl<'a> Changed<'a> {
    fn by(operation: &'a Operation) -> Self {
        let text = |name: &str| operation.parameters.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { kind: text("kind"), id: text("id") }
    }

    /// Whether a call takes records of its kind along, as a stream does, or itself, as a plan does. What a
    /// platform has declared of other kinds may flow.
    fn flows_in(&self, exchange: &Exchange) -> bool {
        let Some(sent) = exchange.sent() else { return false };
        let items = |name: &str| sent[name].as_array().map(Vec::as_slice).unwrap_or_default();
        match exchange.route() {
            Some(Route::Sync) => sent["resource_kind"] == self.kind && !items("records").is_empty(),
            Some(Route::Migrations) => items("steps")
                .iter()
                .any(|step| step["resource_kind"] == self.kind && mentions(step, self.id)),
            _ => false,
        }
    }
}

fn originals_kept(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("every original as it was before");
    let Some((n, _)) = story.operation(with.text("migration")) else {
        return expect(Judgement::unproven("the target sent no migration", vec![]));
    };
    let labels = with.texts("after");
    let later: Option<Vec<_>> = labels.into_iter().map(|label| records(story, label)).collect();
    let Some(((seen_before, before), later)) = records(story, with.text("before")).zip(later) else {
        return expect(Judgement::unproven("the originals could not be looked at", vec![n]));
    };
    let seen_after = later.iter().flat_map(|(seen, _)| seen).copied();
    let evidence: Vec<u64> = seen_before.into_iter().chain([n]).chain(seen_after).collect();
    if before.is_empty() {
        return expect(Judgement::unproven("there was no original", evidence));
    }
    // What was sent otherwise may have gone rightly.
    let others =
        story.entries().iter().filter(|entry| entry.label.as_deref() != Some(with.text("migration")));
    let sent: Vec<&Value> = others
        .filter_map(|entry| entry.operation().filter(|operation| operation.verb == "migration.send"))
        .map(|operation| &operation.parameters["root_resource_id"])
        .collect();
    let is_gone = |place: &&(String, String)| later.iter().any(|(_, after)| !after.contains_key(*place));
    match before.keys().filter(|(_, id)| !sent.iter().any(|sent| *sent == id)).find(is_gone) {
        Some((kind, id)) => expect(Judgement::broken(format!("the original {kind} {id} is gone"), evidence)),
        None => expect(Judgement::kept("the originals are there", evidence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::{Body, Message, Recorder, What};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn short(value: &Value) -> String {
        value.to_string().chars().take(80).collect()
    }

    fn recorder() -> Recorder {
        Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
    }

    fn operation(recorder: &Recorder, verb: &str, label: &str, parameters: Value, result: Value) {
        let operation = Operation { verb: verb.into(), parameters, result: Some(result), failure: None };
        recorder.record(None, Some(label), What::Operation(operation));
    }

    fn look(recorder: &Recorder, label: &str, resources: &Value) {
        operation(
            recorder,
            "resource.list",
            label,
            json!({"kind": "skill"}),
            json!({"resources": resources}),
        );
    }

    /// Status 0 is no answer.
    fn call(recorder: &Recorder, label: &str, route: &Route, sent: Value, status: u16, answer: &Value) {
        let direction = if label == "flow" { Direction::FromTarget } else { Direction::ToTarget };
        let exchange = Exchange {
            peer: "alice".into(),
            direction,
            request: Message {
                method: Some(if sent.is_null() { "GET" } else { "POST" }.into()),
                path: Some(route.path()),
                body: Body::Json(sent),
                ..Message::default()
            },
            response: (status > 0).then(|| Message {
                status: Some(status),
                body: Body::Json(answer.clone()),
                ..Message::default()
            }),
            failure: None,
            tls: None,
            protocol: None,
            source: None,
            injected: vec![],
        };
        recorder.record(None, Some(label), What::Exchange(exchange));
    }

    fn plan(steps: &Value) -> Value {
        json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": "1",
            "plan_summary": {}, "steps": steps})
    }

    /// A story of one migration: what was there, what was sent and answered, what is there now.
    fn story(before: &Value, steps: &Value, status: u16, answer: &Value, after: &Value) -> Story {
        let recorder = recorder();
        look(&recorder, "before", before);
        call(&recorder, "plan", &Route::Migrations, plan(steps), status, answer);
        look(&recorder, "after", after);
        recorder.story()
    }

    fn verdict(judge: &str, story: &Story) -> crate::check::Verdict {
        verdict_with(judge, story, &json!({"plan": "plan", "before": "before", "after": "after"}))
    }

    fn verdict_with(judge: &str, story: &Story, with: &Value) -> crate::check::Verdict {
        let with: BTreeMap<String, Value> = serde_json::from_value(with.clone()).expect("arguments");
        let judge = JUDGES.iter().find(|other| other.name == judge).expect("a judge");
        (judge.decide)(story, Arguments::new(&with)).verdict
    }

    fn failing(mut step: Value) -> Value {
        step["conflict_policy"] = json!("fail");
        step
    }

    fn renaming(mut step: Value) -> Value {
        step["conflict_policy"] = json!("rename_with_suffix");
        step
    }

    fn step(order: i64, id: &str) -> Value {
        json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "action": "create",
               "conflict_policy": "skip_if_exists", "payload": {"id": id, "ref": {"parent_id": "p"}}})
    }

    fn row(id: &str) -> Value {
        json!({"kind": "skill", "id": id, "record": {"id": id, "ref": {"parent_id": "p"}}})
    }

    fn done(applied: u64, log: &Value) -> Value {
        json!({"data": {"migration_id": "m", "status": "completed", "applied_count": applied,
                        "skipped_count": 0, "conflict_log": log}})
    }

    use crate::check::Verdict::{Broken, Kept, Unproven};

    #[test]
    fn a_failure_that_leaves_something_is_broken_and_one_that_leaves_nothing_kept() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        let failed = json!({"error": "no"});
        for (status, after, expected) in [
            (422, json!([]), Kept),
            (422, json!([row("1")]), Broken),
            (0, json!([row("1")]), Broken),
            (0, json!([row("1"), row("2")]), Kept),
            (0, json!([]), Kept),
            (201, json!([row("1"), row("2")]), Unproven),
        ] {
            let story = story(&json!([]), &steps, status, &failed, &after);
            assert_eq!(verdict("whole-or-nothing", &story), expected, "{status} {}", short(&after));
        }
    }

    #[test]
    fn a_record_that_was_merely_looked_at_is_none_that_was_left() {
        let steps = json!([step(1, "1"), failing(step(2, "2"))]);
        let noted = |name: &str, at: u64| json!({"kind": "skill", "id": "2", "record": {"id": "2", "name": name, "ref": {}, "seen": at}});
        for (answer, after, expected) in [
            (json!({"error": "no"}), noted("a", 2), Kept),
            (json!({"error": "no"}), row("2"), Broken),
            (json!({"data": {"status": "failed"}}), noted("a", 2), Kept),
            (json!({"data": {"status": "failed"}}), row("2"), Broken),
        ] {
            let status = if answer.get("error").is_some() { 422 } else { 200 };
            let story = story(&json!([noted("a", 1)]), &steps, status, &answer, &json!([after]));
            assert_eq!(verdict("whole-or-nothing", &story), expected, "{answer} {}", short(&after));
        }
    }

    #[test]
    fn an_opened_plan_is_judged_by_its_commit() {
        let steps = json!([step(1, "1"), failing(step(2, "2")), step(3, "3")]);
        let opened = json!({"data": {"migration_id": "m", "status": "transferring"}});
        let judged = |opened: (u16, &Value), commit: u16, left: &[&str], twin: u16| {
            let recorder = recorder();
            look(&recorder, "before", &json!([row("2")]));
            call(&recorder, "plan", &Route::Migrations, plan(&steps), opened.0, opened.1);
            let route = Route::MigrationCommit { id: "m".to_owned() };
            call(&recorder, "commit", &route, json!({}), commit, &json!({"error": "no"}));
            let left: Vec<Value> = left.iter().map(|id| row(id)).collect();
            look(&recorder, "after", &json!(left));
            call(&recorder, "twin", &Route::Migrations, plan(&steps), twin, &done(1, &json!([])));
            let with = json!({"plan": "plan", "commit": "commit", "before": "before", "after": "after", "twin": "twin"});
            verdict_with("whole-or-nothing", &recorder.story(), &with)
        };
        let refused = json!({"error": "no"});
        assert_eq!(judged((202, &opened), 422, &["2"], 201), Kept);
        assert_eq!(judged((202, &opened), 422, &["1", "2"], 201), Broken);
        assert_eq!(judged((202, &opened), 0, &["1", "2"], 201), Broken);
        assert_eq!(judged((202, &opened), 422, &["2"], 422), Unproven);
        // Not opened at all: then the plan's own answer counts.
        assert_eq!(judged((422, &refused), 404, &["2"], 201), Kept);
        assert_eq!(judged((201, &done(2, &json!([]))), 404, &["1", "2", "3"], 201), Unproven);
    }

    #[test]
    fn an_opened_plan_that_is_there_whole_after_a_refused_commit_shows_nothing() {
        let steps = json!([step(1, "1")]);
        let recorder = recorder();
        look(&recorder, "before", &json!([]));
        call(
            &recorder,
            "plan",
            &Route::Migrations,
            plan(&steps),
            202,
            &json!({"data": {"status": "applying"}}),
        );
        let route = Route::MigrationCommit { id: "m".to_owned() };
        call(&recorder, "commit", &route, json!({}), 404, &json!({"error": "no"}));
        look(&recorder, "after", &json!([row("1")]));
        let with = json!({"plan": "plan", "commit": "commit", "before": "before", "after": "after"});
        assert_eq!(verdict_with("whole-or-nothing", &recorder.story(), &with), Unproven);
    }

    #[test]
    fn no_success_may_be_claimed_of_a_plan_that_is_to_fail() {
        let steps = json!([step(1, "1"), failing(step(2, "2"))]);
        for (status, answer, after, expected) in [
            (422, json!({"error": "no"}), json!([row("2")]), Kept),
            (200, json!({"data": {"status": "failed"}}), json!([row("2")]), Kept),
            (202, json!({"data": {"status": "applying"}}), json!([row("2")]), Unproven),
            (201, done(1, &json!([])), json!([row("1"), row("2")]), Broken),
        ] {
            let story = story(&json!([row("2")]), &steps, status, &answer, &after);
            assert_eq!(verdict("claims-are-true", &story), expected, "{status} {answer}");
        }
    }

    #[test]
    fn claims_have_to_be_read_back() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        for (applied, after, expected) in [
            (2, json!([row("1"), row("2")]), Kept),
            (2, json!([row("1")]), Broken),
            (1, json!([row("1"), row("2")]), Broken),
            (3, json!([row("1"), row("2")]), Broken),
        ] {
            let story = story(&json!([]), &steps, 201, &done(applied, &json!([])), &after);
            assert_eq!(verdict("claims-are-true", &story), expected, "{applied} {}", short(&after));
        }
    }

    #[test]
    fn a_conflict_that_is_hidden_invented_or_mistold_is_broken() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        let entry = |order: i64, id: &str, resolution: &str| json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "resolution": resolution});
        let both = json!([row("1"), row("2")]);
        for (log, expected) in [
            (json!([entry(1, "1", "skipped")]), Kept),
            (json!([]), Broken),
            (json!([entry(1, "1", "skipped"), entry(2, "2", "skipped")]), Broken),
            (json!([entry(1, "1", "skipped"), entry(9, "9", "skipped")]), Broken),
            (json!([entry(1, "other", "skipped")]), Broken),
        ] {
            let story = story(&json!([row("1")]), &steps, 201, &done(1, &log), &both);
            assert_eq!(verdict("conflicts-are-told", &story), expected, "{log}");
        }
        let silent = story(&json!([row("1")]), &steps, 201, &json!({"data": {"status": "completed"}}), &both);
        assert_eq!(verdict("conflicts-are-told", &silent), Unproven);
    }

    #[test]
    fn a_plan_may_be_turned_away_before_it_met_anything() {
        let refused = json!({"error": "no", "conflict_log": []});
        let mut announced = step(2, "2");
        announced["action"] = json!("conflict");
        for (steps, expected) in [
            (json!([failing(step(1, "1"))]), Broken),
            (json!([failing(step(1, "1")), announced]), Kept),
            (json!([failing(step(1, "1")), failing(step(2, "1"))]), Kept),
            (json!([renaming(step(1, "1"))]), Kept),
        ] {
            let there = json!([row("1")]);
            let story = story(&there, &steps, 422, &refused, &there);
            assert_eq!(verdict("conflicts-are-told", &story), expected, "{steps}");
        }
    }

    #[test]
    fn the_log_of_a_migration_that_is_not_done_is_not_its_last() {
        let steps = json!([step(1, "1")]);
        let pending = json!({"data": {"status": "applying", "conflict_log": []}});
        let story = story(&json!([row("1")]), &steps, 202, &pending, &json!([row("1")]));
        assert_eq!(verdict("conflicts-are-told", &story), Unproven);
    }

    #[test]
    fn what_a_list_does_not_show_is_not_held_against_a_claim() {
        let mut overwrites = step(1, "1");
        overwrites["conflict_policy"] = json!("overwrite");
        let entry = json!({"step_order": 1, "resource_kind": "skill", "resource_id": "1", "resolution": "overwritten"});
        let judged = |record: &Value| {
            let listed = json!([{"kind": "skill", "id": "1", "record": record}]);
            let story = story(&listed, &json!([overwrites]), 201, &done(1, &json!([entry])), &listed);
            ["claims-are-true", "conflicts-are-told"].map(|judge| verdict(judge, &story))
        };
        assert_eq!(judged(&json!({"id": "1", "ref": {"parent_id": "old"}})), [Broken, Broken]);
        assert_eq!(judged(&json!({"id": "1"})), [Kept, Kept]);
    }

    #[test]
    fn what_is_shown_later_has_to_tell_the_conflicts_too() {
        let entry =
            json!({"step_order": 1, "resource_kind": "skill", "resource_id": "1", "resolution": "skipped"});
        let told = done(0, &json!([entry]));
        let judged = |to_peer: &Value, to_operator: &Value| {
            let recorder = recorder();
            look(&recorder, "before", &json!([row("1")]));
            call(&recorder, "plan", &Route::Migrations, plan(&json!([step(1, "1")])), 201, &told);
            look(&recorder, "after", &json!([row("1")]));
            let route = Route::Migration { id: "m".to_owned() };
            call(&recorder, "shown", &route, Value::Null, 200, to_peer);
            operation(&recorder, "migration.show", "recorded", json!({}), to_operator["data"].clone());
            let with =
                json!({"plan": "plan", "before": "before", "after": "after", "shown": ["shown", "recorded"]});
            verdict_with("conflicts-are-told", &recorder.story(), &with)
        };
        let silent = json!({"data": {"status": "completed"}});
        assert_eq!(judged(&told, &told), Kept);
        assert_eq!(judged(&silent, &told), Kept);
        assert_eq!(judged(&told, &done(0, &json!([]))), Broken);
        assert_eq!(judged(&done(0, &json!([])), &told), Broken);
        assert_eq!(judged(&silent, &silent), Unproven);
    }

    #[test]
    fn a_record_without_a_part_is_unproven_and_one_under_a_made_up_id_broken() {
        let steps = json!([step(1, "1")]);
        let bare = json!({"kind": "skill", "id": "1", "record": {"id": "1"}});
        let lacking = story(&json!([]), &steps, 201, &done(1, &json!([])), &json!([bare]));
        assert_eq!(verdict("identities-survive", &lacking), Unproven);
        let judged = |answer: u16, after: &Value, twin: u16| {
            let recorder = recorder();
            look(&recorder, "before", &json!([row("1")]));
            let answered = if answer == 201 { done(1, &json!([])) } else { json!({"error": "no"}) };
            call(
                &recorder,
                "plan",
                &Route::Migrations,
                plan(&json!([renaming(step(1, "1"))])),
                answer,
                &answered,
            );
            look(&recorder, "after", after);
            call(&recorder, "twin", &Route::Migrations, plan(&steps), twin, &done(1, &json!([])));
            let with = json!({"plan": "plan", "before": "before", "after": "after", "twin": "twin"});
            verdict_with("identities-survive", &recorder.story(), &with)
        };
        assert_eq!(judged(422, &json!([row("1")]), 201), Kept);
        assert_eq!(judged(422, &json!([row("1")]), 422), Unproven);
        assert_eq!(judged(201, &json!([row("1")]), 201), Kept);
        assert_eq!(judged(201, &json!([row("1"), row("7")]), 201), Broken);
    }

    #[test]
    fn only_what_was_migrated_may_not_flow() {
        let judged = |route: &Route, sent: Value| {
            let recorder = recorder();
            call(&recorder, "plan", &Route::Migrations, plan(&json!([step(1, "1")])), 201, &json!({}));
            let record = json!({"kind": "skill", "id": "1"});
            operation(&recorder, "resource.put", "changed", record, json!({}));
            call(&recorder, "flow", route, sent, 200, &json!({}));
            call(&recorder, "probe", &Route::Heartbeat, json!({}), 200, &json!({"data": {}}));
            let with = json!({"peer": "alice", "migration": "plan", "record": "changed", "probe": "probe"});
            verdict_with("nothing-flows", &recorder.story(), &with)
        };
        let batch = |kind: &str, records: Value| json!({"resource_kind": kind, "records": records});
        let other = plan(&json!([step(1, "2")]));
        assert_eq!(judged(&Route::Sync, batch("skill", json!([{"id": "2"}]))), Broken);
        assert_eq!(judged(&Route::Sync, batch("skill", json!([]))), Kept);
        assert_eq!(judged(&Route::Sync, batch("memory", json!([{"id": "2"}]))), Kept);
        assert_eq!(judged(&Route::Migrations, plan(&json!([step(1, "1")]))), Broken);
        assert_eq!(judged(&Route::Migrations, other), Kept);
        assert_eq!(judged(&Route::Sync, json!({"kind": "skill", "items": [{"id": "1"}]})), Unproven);
    }

    #[test]
    fn an_original_that_goes_later_is_gone() {
        let judged = |later: &Value| {
            let recorder = recorder();
            look(&recorder, "before", &json!([row("1")]));
            operation(&recorder, "migration.send", "sent", json!({}), json!({}));
            look(&recorder, "after", &json!([row("1")]));
            look(&recorder, "later", later);
            let with = json!({"migration": "sent", "before": "before", "after": ["after", "later"]});
            verdict_with("originals-kept", &recorder.story(), &with)
        };
        assert_eq!((judged(&json!([row("1")])), judged(&json!([]))), (Kept, Broken));
    }

    #[test]
    fn an_original_of_another_migration_may_go() {
        let judged = |other: &str| {
            let recorder = recorder();
            operation(&recorder, "migration.send", "other", json!({"root_resource_id": other}), json!({}));
            look(&recorder, "before", &json!([row("1"), row("2")]));
            operation(&recorder, "migration.send", "sent", json!({"root_resource_id": "1"}), json!({}));
            look(&recorder, "after", &json!([row("1")]));
            let with = json!({"migration": "sent", "before": "before", "after": "after"});
            verdict_with("originals-kept", &recorder.story(), &with)
        };
        assert_eq!((judged("2"), judged("3")), (Kept, Broken));
    }

    #[test]
    fn another_id_or_another_reference_is_broken() {
        let steps = json!([step(1, "1")]);
        let other_reference =
            json!({"kind": "skill", "id": "1", "record": {"id": "1", "ref": {"parent_id": "q"}}});
        for (after, expected) in [
            (json!([row("1")]), Kept),
            (json!([row("1"), row("7")]), Broken),
            (json!([other_reference]), Broken),
        ] {
            let story = story(&json!([]), &steps, 201, &done(1, &json!([])), &after);
            assert_eq!(verdict("identities-survive", &story), expected, "{}", short(&after));
        }
    }
}
