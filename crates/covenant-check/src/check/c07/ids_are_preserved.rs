//! `ids-are-preserved`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::migration::{Migration, was_completed};
use crate::check::arguments::{CaseLabel, Label};
use crate::check::definition::Check;
use crate::check::migration_model::{OWN_MEMBERS, PlannedStep, Preservation, preservation};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Place, mentions, records};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::action;

/// Every migrated record has its own id and the references that were sent with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct IdsArePreserved {
    /// The migration that is checked.
    pub plan: Label,
    /// The commit of the plan, where it was opened first.
    pub commit: Option<CaseLabel>,
    /// The snapshot of the records before the plan.
    pub before: Label,
    /// The snapshot of the records after the plan.
    pub after: Label,
    /// A plan that has to be applied. With it, the evaluated plan may be refused if it leaves nothing.
    pub control: Option<Label>,
    /// An earlier plan whose records have the same references, to records that are there. It shows that the target
    /// has a place for each reference that it kept there.
    pub kept_references: Option<Label>,
    /// The snapshot of the records after those that the references name have come. A target may keep a reference
    /// elsewhere until then; one that is still empty is broken.
    pub completed: Option<Label>,
}

impl Check for IdsArePreserved {
    const ID: &'static str = "ids-are-preserved";
    const EXPECTED: &'static [&'static str] =
        &["each created record under its own id and with its own references; no other new record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let migration = Migration::read(trace, &self.plan, self.commit.as_ref(), &self.before, &self.after)?;
        let evidence = || migration.evidence.iter().copied();
        let planned_steps = migration.planned_steps();
        let is_unplanned = |place: &Place| {
            !migration.before.contains_key(place)
                && planned_steps.iter().all(|planned| planned.place != *place)
        };
        let unplanned: Vec<&Place> = migration.after.keys().filter(|place| is_unplanned(place)).collect();
        let is_of_plan = |place: &&&Place| migration.is_of_plan(place, &migration.after[**place]);
        if let Some((kind, id)) = unplanned.iter().find(is_of_plan) {
            let actual = format!("there is a new {kind} with the id {id}, which no step names");
            return Err(Stop::broken(actual, evidence()));
        }
        if let Some((kind, id)) = unplanned.first() {
            let actual =
                format!("there is a new {kind} with the id {id}, which the plan has nothing to do with");
            return Err(Stop::unproven(actual, evidence()));
        }
        let control_was_applied = self.control.as_ref().is_some_and(|control| was_completed(trace, control));
        if migration.completed().is_none() {
            let actual = format!("nothing was migrated: {}", migration.call.summary());
            if control_was_applied && migration.has_failed() && migration.remains().is_none() {
                return Ok(Pass::new(actual, evidence()));
            }
            return Err(Stop::unproven(actual, evidence()));
        }
        let is_created =
            |planned: &&PlannedStep<'_>| planned.step.action == action::CREATE && !planned.collides;
        let created: Vec<&PlannedStep<'_>> = planned_steps.iter().filter(is_created).collect();
        if created.is_empty() && !control_was_applied {
            return Err(Stop::unproven("the plan created nothing", evidence()));
        }
        // A step whose conflict was resolved may carry another slug; a later step may have overwritten it.
        let is_overwritten = |planned: &PlannedStep<'_>| {
            let mut later =
                planned_steps.iter().filter(|other| other.step.step_order > planned.step.step_order);
            later.any(|other| other.place == planned.place)
        };
        let final_steps =
            created.into_iter().filter(|planned| !planned.may_collide && !is_overwritten(planned));
        let read_back = final_steps.filter_map(|planned| {
            Some((planned, preservation(planned.step, migration.after.get(&planned.place)?)))
        });
        let worst = read_back.max_by_key(|(_, preservation)| *preservation);
        let actual = |planned: &PlannedStep<'_>, what: &str| {
            format!("the {} of step {} was read back {what}", planned.place.0, planned.step.step_order)
        };
        match worst {
            Some((planned, Preservation::Changed)) => {
                Err(Stop::broken(actual(planned, "with another id in it"), evidence()))
            }
            Some((planned, preservation @ (Preservation::Incomplete | Preservation::Altered))) => {
                let emptied = self.emptied_reference(trace, &migration);
                let is_altered = preservation == Preservation::Altered;
                let what =
                    if is_altered { "with other content, which is no id" } else { "without a part of it" };
                Err(match emptied {
                    Some((n, emptied)) => Stop::broken(emptied, evidence().chain([n])),
                    None => Stop::unproven(actual(planned, what), evidence()),
                })
            }
            Some((_, Preservation::Complete)) | None => {
                Ok(Pass::new("every id and every reference is the one that was sent", evidence()))
            }
        }
    }
}

impl IdsArePreserved {
    /// Returns in words a reference that is empty where the target keeps a reference to a record that is there, also
    /// when its own record has come, and the snapshot that shows it.
    fn emptied_reference(&self, trace: &Trace, migration: &Migration<'_>) -> Option<(u64, String)> {
        let (control, completed) = self.kept_references.as_ref().zip(self.completed.as_ref())?;
        let control = Migration::read(trace, control, None, &self.before, &self.after).ok()?;
        let (seen, completed) = records(trace, completed)?;
        let kept: BTreeSet<String> = control
            .planned_steps()
            .iter()
            .filter_map(|planned| {
                let stored = references(&json!(control.before.get(&planned.place)?));
                let sent = references(&json!(planned.step.payload));
                Some(sent.into_iter().filter(move |(place, id)| stored.get(place) == Some(id)))
            })
            .flatten()
            .map(|(place, _)| place)
            .collect();
        let answer = migration.call.exchange.data();
        // A target may say in its answer that it could not resolve a reference.
        let is_reported = |id: &String| answer.as_ref().is_some_and(|answer| mentions(answer, id));
        let steps = migration.planned_steps();
        let (step, place) =
            steps.iter().filter(|planned| !planned.collides && !planned.may_collide).find_map(|planned| {
                let states = [&migration.after, &completed]
                    .map(|records| records.get(&planned.place).map(|record| json!(record)));
                let is_empty_in = |state: &Option<Value>, place: &str, id: &String| {
                    state.as_ref().is_some_and(|record| {
                        let is_elsewhere = references(record).values().any(|other| other == id);
                        record.pointer(place).is_none_or(Value::is_null) && !is_elsewhere
                    })
                };
                let sent = references(&json!(planned.step.payload));
                let mut emptied = sent.into_iter().filter(|(place, id)| {
                    kept.contains(place)
                        && states.iter().all(|state| is_empty_in(state, place, id))
                        && completed.keys().any(|(_, known)| known == id)
                        && !is_reported(id)
                });
                let (place, _) = emptied.next()?;
                Some((planned, place))
            })?;
        let actual = format!(
            "the {} of step {} was read back without its reference {place}, which another record has, also when the \
             record that it names was there",
            step.place.0, step.step.step_order
        );
        Some((seen.last().copied().unwrap_or_default(), actual))
    }
}

/// Returns the ids in a record by their place, apart from the id of the record itself and from the account.
fn references(record: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(record, String::new(), &mut found);
    found.retain(|place, _| place != "/id" && !OWN_MEMBERS.iter().any(|own| place == &format!("/{own}")));
    found
}

fn collect(value: &Value, place: String, found: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => {
            found.insert(place, text.clone());
        }
        Value::Array(items) => {
            (0..).zip(items).for_each(|(n, item): (usize, _)| collect(item, format!("{place}/{n}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| collect(member, format!("{place}/{name}"), found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{
        done, listed, migrated, plan, renaming, row, short, step, transfer, with_labels,
    };
    use crate::check::trace_builder::TraceBuilder;

    #[test]
    fn a_record_without_a_part_is_unproven_and_one_under_a_new_id_broken() {
        let steps = json!([step(1, "1")]);
        let bare = json!({"kind": "skill", "id": "1", "record": {"id": "1"}});
        let incomplete = migrated(&json!([]), &steps, 201, &done(1, &json!([])), &json!([bare]));
        assert_eq!(incomplete.verdict::<IdsArePreserved>(with_labels(&[])), Unproven);
        let evaluated = |status: u16, after: &Value, control: u16| {
            let answer = if status == 201 { done(1, &json!([])) } else { json!({"error": "no"}) };
            let renamed = json!([renaming(step(1, "1"))]);
            let builder = migrated(&json!([row("1")]), &renamed, status, &answer, after);
            transfer(builder, "control", plan(&steps), control, &done(1, &json!([])))
                .verdict::<IdsArePreserved>(with_labels(&["control"]))
        };
        assert_eq!(evaluated(422, &json!([row("1")]), 201), Kept);
        assert_eq!(evaluated(422, &json!([row("1")]), 422), Unproven);
        assert_eq!(evaluated(429, &json!([row("1")]), 201), Unproven, "it was never tried");
        assert_eq!(evaluated(503, &json!([row("1")]), 201), Unproven);
        assert_eq!(evaluated(201, &json!([row("1")]), 201), Kept);
        assert_eq!(evaluated(201, &json!([row("1"), row("7")]), 201), Broken);
    }

    #[test]
    fn a_reference_that_is_empty_is_broken_where_another_record_has_one() {
        const PARENT: &str = "01a20000-0000-7000-8000-000000000001";
        const ABSENT: &str = "01a20000-0000-7000-8000-000000000002";
        let payload = |id: &str, parent: Option<&str>| json!({"id": id, "ref": {"parent_id": parent}});
        let plan_of = |id: &str, parent: &str| {
            let mut step = step(1, id);
            step["payload"] = payload(id, Some(parent));
            plan(&json!([step]))
        };
        let stored = |id: &str, parent: Option<&str>| json!({"kind": "skill", "id": id, "record": payload(id, parent)});
        let verdict = |known: Option<&str>, states: [Option<&str>; 2], answer: &Value, came: bool| {
            let control = stored("1", known);
            let builder =
                transfer(TraceBuilder::new(), "control", plan_of("1", PARENT), 201, &done(1, &json!([])));
            let builder = listed(builder, "before", &json!([control]));
            let builder = transfer(builder, "plan", plan_of("2", ABSENT), 201, answer);
            let builder = listed(builder, "after", &json!([control, stored("2", states[0])]));
            let missing = if came { stored(ABSENT, None) } else { stored("3", None) };
            listed(builder, "completed", &json!([control, stored("2", states[1]), missing]))
                .verdict::<IdsArePreserved>(json!({
                    "plan": "plan", "before": "before", "after": "after", "kept_references": "control",
                    "completed": "completed",
                }))
        };
        let plain = done(1, &json!([]));
        let (kept, parent) = (Some(ABSENT), Some(PARENT));
        assert_eq!(verdict(parent, [kept; 2], &plain, true), Kept);
        assert_eq!(verdict(parent, [None; 2], &plain, true), Broken);
        assert_eq!(verdict(parent, [None; 2], &plain, false), Unproven, "its record may come yet");
        assert_eq!(verdict(parent, [None, kept], &plain, true), Unproven, "it was kept elsewhere until then");
        assert_eq!(verdict(None, [None; 2], &plain, true), Unproven, "it has no place for a reference");
        let mut reported = plain.clone();
        reported["data"]["unresolved"] = json!([ABSENT]);
        assert_eq!(verdict(parent, [None; 2], &reported, true), Unproven);
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
            (
                json!([row("1"), {"kind": "skill", "id": "8", "record": {"id": "8", "name": "of another"}}]),
                Unproven,
            ),
        ] {
            let builder = migrated(&json!([]), &steps, 201, &done(1, &json!([])), &after);
            let verdict = builder.verdict::<IdsArePreserved>(with_labels(&[]));
            assert_eq!(verdict, expected, "{}", short(&after));
        }
    }
}
