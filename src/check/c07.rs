//! Commitment 7: migration hygiene.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::common::outcome;
use super::judge::Parameter;
use super::model::{Records, Visit, is_carried, records, walk};
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::envelope::Answer;
use crate::wire::migration::{Conflict, MigrationRequest, MigrationView, action, policy};
use crate::wire::path::Route;

const PLAN: Parameter = Parameter::required("plan", "label of the migration");
const BEFORE: Parameter = Parameter::required("before", "label of the look before it");
const AFTER: Parameter = Parameter::required("after", "label of the look after it");

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "whole-or-nothing",
        about: "a plan that failed, or whose answer never came, left nothing of itself, or all",
        parameters: &[PLAN, BEFORE, AFTER],
        decide: whole_or_nothing,
    },
    Judge {
        name: "claims-are-true",
        about: "what a completed migration claims is what can be read back",
        parameters: &[PLAN, BEFORE, AFTER],
        decide: claims_are_true,
    },
    Judge {
        name: "conflicts-are-told",
        about: "conflict_log has each conflict that there was, and no other",
        parameters: &[PLAN, BEFORE, AFTER],
        decide: conflicts_are_told,
    },
    Judge {
        name: "identities-survive",
        about: "every migrated record stands under its own id, with the references that it came with",
        parameters: &[PLAN, BEFORE, AFTER],
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
            Parameter::required("after", "label of the look after it"),
        ],
        decide: originals_kept,
    },
];

/// A migration as the story shows it.
struct Migration {
    exchange: Exchange,
    plan: MigrationRequest,
    before: Records,
    after: Records,
    evidence: Vec<u64>,
}

impl Migration {
    fn read(story: &Story, with: Arguments<'_>) -> Result<Self, Judgement> {
        let unproven = |text: &str| Judgement::unproven(text, vec![]);
        let (n, exchange) = story
            .exchanges_labelled(with.text("plan"))
            .next_back()
            .ok_or_else(|| unproven("the migration was not sent"))?;
        let plan = exchange.sent().and_then(|sent| MigrationRequest::deserialize(sent).ok());
        let plan = plan.ok_or_else(|| unproven("the plan that was sent can't be read back"))?;
        let (mut evidence, before) =
            records(story, with.text("before")).ok_or_else(|| unproven("no look at the records before"))?;
        let (seen_after, after) =
            records(story, with.text("after")).ok_or_else(|| unproven("no look at the records after"))?;
        evidence.push(n);
        evidence.extend(seen_after);
        Ok(Self { exchange: exchange.clone(), plan, before, after, evidence })
    }

    /// What a success says of itself.
    fn completed(&self) -> Option<MigrationView> {
        let view = MigrationView::deserialize(self.exchange.data()?).ok()?;
        (self.exchange.succeeded() && view.status == "completed").then_some(view)
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
}

fn whole_or_nothing(story: &Story, with: Arguments<'_>) -> Judgement {
    let migration = match Migration::read(story, with) {
        Ok(migration) => migration,
        Err(unproven) => return unproven,
    };
    let answered = migration.exchange.status().is_some();
    let nothing = migration.before == migration.after;
    let all = migration
        .walk()
        .iter()
        .all(|visit| visit.step.action != action::CREATE || migration.after.contains_key(&visit.place));
    let says_both = migration.exchange.says_otherwise();
    let judgement = if migration.exchange.succeeded() || (says_both && all) {
        Judgement::unproven("the plan was accepted, so that nothing failed", migration.evidence.clone())
    } else if nothing {
        Judgement::kept(
            format!("{}; nothing of it is there", outcome(&migration.exchange)),
            migration.evidence.clone(),
        )
    } else if !answered && all {
        Judgement::kept("the answer was lost; the plan is there whole", migration.evidence.clone())
    } else {
        let left = difference(&migration.before, &migration.after);
        Judgement::broken(format!("{}, and {left}", outcome(&migration.exchange)), migration.evidence.clone())
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
    let Some(view) = migration.completed() else {
        let actual = format!("no success was claimed: {}", outcome(&migration.exchange));
        return expect(Judgement::unproven(actual, evidence));
    };
    let log = migration.conflict_log().unwrap_or_default();
    let count = Count::of(&migration, &log);
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
    fn of(migration: &Migration, log: &[Conflict]) -> Self {
        let mut count = Self::default();
        let visits = migration.walk();
        for visit in &visits {
            // Where several steps are about one record, only the last of them shows.
            let alone = visits.iter().filter(|other| other.place == visit.place).count() == 1;
            let stored = migration.after.get(&visit.place);
            let told = log.iter().any(|conflict| conflict.step_order == visit.step.step_order);
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

/// Whether a step that met a record had an effect on it. Whether it is the right one is asked of
/// identities and references (7.4).
fn took_effect(migration: &Migration, visit: &Visit<'_>, stored: &Map<String, Value>) -> bool {
    is_carried(visit.step, stored)
        || migration.before.get(&visit.place).is_some_and(|before| before != stored)
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
    let evidence = migration.evidence.clone();
    if migration.exchange.status().is_none() {
        return expect(Judgement::unproven("the migration was not answered", evidence));
    }
    let Some(log) = migration.conflict_log() else {
        return expect(Judgement::unproven("the answer has no conflict_log", evidence));
    };
    let visits = migration.walk();
    let failed = !migration.exchange.succeeded() && !migration.exchange.says_otherwise();
    if let Some(fault) = untrue_entry(&migration, &visits, &log, failed) {
        return expect(Judgement::broken(fault, evidence));
    }
    let told = |visit: &Visit<'_>| log.iter().any(|entry| entry.step_order == visit.step.step_order);
    // A plan that failed stopped where it could not go on: what came after that was never met, and
    // what came before it was undone.
    let owed: Vec<&Visit<'_>> = if failed {
        visits.iter().find(|visit| stops(visit)).into_iter().filter(|visit| visit.meets).collect()
    } else {
        visits.iter().filter(|visit| visit.meets).collect()
    };
    if let Some(visit) = owed.into_iter().find(|visit| !told(visit)) {
        let actual = format!(
            "step {} met the {} {} that was there, and conflict_log does not tell it",
            visit.step.step_order, visit.place.0, visit.place.1
        );
        return expect(Judgement::broken(actual, evidence));
    }
    expect(Judgement::kept(format!("{} entries, all true, none missing", log.len()), evidence))
}

/// Whether a plan can't go on at this step, as its sender wrote it.
fn stops(visit: &Visit<'_>) -> bool {
    let resolvable =
        matches!(visit.step.conflict_policy.as_deref(), Some(policy::SKIP_IF_EXISTS | policy::OVERWRITE));
    visit.step.action == action::CONFLICT || (visit.meets && !resolvable)
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
        if entry.resource_id != visit.step.resource_id {
            return Some(format!("{about} and names another record than the step does"));
        }
        let announced = visit.step.action != action::CREATE;
        if !visit.meets && !visit.may_meet && !announced {
            return Some(format!("{about}, which met nothing"));
        }
        let alone = visits.iter().filter(|other| other.place == visit.place).count() == 1;
        let before = migration.before.get(&visit.place);
        let after = migration.after.get(&visit.place);
        // Where several steps are about one record, the last word on it is another's.
        match entry.resolution.as_deref().filter(|_| alone) {
            Some("skipped") if before.is_some() && before != after => {
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
    if migration.completed().is_none() {
        let actual = format!("nothing was migrated: {}", outcome(&migration.exchange));
        return expect(Judgement::unproven(actual, evidence));
    }
    let visits = migration.walk();
    let mut creates = visits.iter().filter(|visit| visit.step.action == action::CREATE && !visit.meets);
    let strange = migration.after.keys().find(|place| {
        !migration.before.contains_key(*place) && visits.iter().all(|visit| visit.place != **place)
    });
    if let Some((kind, id)) = strange {
        return expect(Judgement::broken(
            format!("a {kind} stands under {id}, which no step names"),
            evidence,
        ));
    }
    if creates.clone().next().is_none() {
        return expect(Judgement::unproven("the plan created nothing", evidence));
    }
    // A step whose conflict was resolved may carry another slug; a later step may have overwritten it.
    let touched_again = |visit: &Visit<'_>| {
        visits.iter().any(|other| other.place == visit.place && other.step.step_order > visit.step.step_order)
    };
    let changed = creates.find(|visit| {
        let stored = migration.after.get(&visit.place);
        stored.is_some_and(|stored| !is_carried(visit.step, stored))
            && !visit.may_meet
            && !touched_again(visit)
    });
    match changed {
        Some(visit) => {
            let actual = format!(
                "the {} of step {} came back with other content",
                visit.place.0, visit.step.step_order
            );
            expect(Judgement::broken(actual, evidence))
        }
        None => expect(Judgement::kept("every id and every reference is the one that was sent", evidence)),
    }
}

fn nothing_flows(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("no sync and no migration from the target");
    let migrated = story.labelled(with.text("migration")).next().map(|entry| entry.n);
    let (Some(migrated), Some((changed, _))) = (migrated, story.operation(with.text("record"))) else {
        return expect(Judgement::unproven("nothing was migrated and then changed", vec![]));
    };
    let probe = story.exchanges_labelled(with.text("probe")).find(|(_, exchange)| exchange.succeeded());
    let Some((probe, _)) = probe else {
        return expect(Judgement::unproven("the peering did not work afterwards", vec![changed]));
    };
    let flowed = story.exchanges_of(with.text("peer"), Direction::FromTarget).find(|(entry, exchange)| {
        entry.n > migrated && matches!(exchange.route(), Some(Route::Sync | Route::Migrations))
    });
    match flowed {
        Some((entry, exchange)) => expect(Judgement::broken(
            format!("the target sent it all the same: {}", outcome(exchange)),
            vec![changed, entry.n],
        )),
        None => expect(Judgement::kept("nothing flowed", vec![migrated, changed, probe])),
    }
}

fn originals_kept(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("every original as it was before");
    let Some((n, _)) = story.operation(with.text("migration")) else {
        return expect(Judgement::unproven("the target sent no migration", vec![]));
    };
    let looks = records(story, with.text("before")).zip(records(story, with.text("after")));
    let Some(((seen_before, before), (seen_after, after))) = looks else {
        return expect(Judgement::unproven("the originals could not be looked at", vec![n]));
    };
    let evidence: Vec<u64> = seen_before.into_iter().chain([n]).chain(seen_after).collect();
    if before.is_empty() {
        return expect(Judgement::unproven("there was no original", evidence));
    }
    match before.keys().find(|place| !after.contains_key(*place)) {
        Some((kind, id)) => expect(Judgement::broken(format!("the original {kind} {id} is gone"), evidence)),
        None => expect(Judgement::kept("the originals are there", evidence)),
    }
}

/// How two looks at the records differ, in words.
fn difference(before: &Records, after: &Records) -> String {
    let new = after.keys().filter(|place| !before.contains_key(*place)).count();
    let gone = before.keys().filter(|place| !after.contains_key(*place)).count();
    let changed =
        before.iter().filter(|(place, record)| after.get(*place).is_some_and(|now| now != *record)).count();
    format!("{new} new, {changed} changed and {gone} missing records are there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::{Body, Message, Operation, Recorder, What};
    use serde_json::Value;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn short(value: &Value) -> String {
        value.to_string().chars().take(80).collect()
    }

    /// A story of one migration: what was there, what was sent and answered, what is there now.
    fn story(before: &Value, steps: &Value, status: u16, answer: &Value, after: &Value) -> Story {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let look = |label: &str, resources: &Value| {
            let operation = Operation {
                verb: "resource.list".into(),
                parameters: json!({"kind": "skill"}),
                result: Some(json!({"resources": resources})),
                failure: None,
            };
            recorder.record(None, Some(label), What::Operation(operation));
        };
        look("before", before);
        let plan = json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": "1",
            "plan_summary": {}, "steps": steps});
        let exchange = Exchange {
            peer: "alice".into(),
            direction: Direction::ToTarget,
            request: Message {
                method: Some("POST".into()),
                path: Some(Route::Migrations.path()),
                body: Body::Json(plan),
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
            injected: vec![],
        };
        recorder.record(None, Some("plan"), What::Exchange(exchange));
        look("after", after);
        recorder.story()
    }

    fn verdict(judge: &str, story: &Story) -> crate::check::Verdict {
        let with: BTreeMap<String, Value> =
            ["plan", "before", "after"].iter().map(|name| ((*name).to_owned(), json!(name))).collect();
        let judge = JUDGES.iter().find(|other| other.name == judge).expect("a judge");
        (judge.decide)(story, Arguments::new(&with)).verdict
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
