//! `migration-claims-match-records`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::migration::{Migration, is_alone, must_fail, stops};
use crate::check::arguments::{CaseLabel, Label};
use crate::check::definition::Check;
use crate::check::migration_model::{OWN_MEMBERS, PlannedStep, content_of};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop, require};
use crate::check::query::last_put;
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::{Conflict, action};

/// A completed migration claims nothing that cannot be read back. No success is claimed of a plan that can't be
/// applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct MigrationClaimsMatchRecords {
    /// The migration that is checked.
    pub plan: Label,
    /// The commit of the plan, where it was opened first.
    pub commit: Option<CaseLabel>,
    /// The snapshot of the records before the plan.
    pub before: Label,
    /// The snapshot of the records after the plan.
    pub after: Label,
    /// `true` if the target may refuse the plan, as long as nothing of it is left.
    #[serde(default)]
    pub may_be_refused: bool,
}

impl Check for MigrationClaimsMatchRecords {
    const ID: &'static str = "migration-claims-match-records";
    const EXPECTED: &'static [&'static str] =
        &["as many records created or overwritten as applied_count says, and each of them there"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let migration = Migration::read(trace, &self.plan, self.commit.as_ref(), &self.before, &self.after)?;
        let evidence = || migration.evidence.iter().copied();
        let planned_steps = migration.planned_steps();
        let Some(view) = migration.completed() else {
            let actual = format!("no success was claimed: {}", migration.call.summary());
            let is_free_to_fail = self.may_be_refused && migration.remains().is_none();
            if (planned_steps.iter().any(stops) || is_free_to_fail) && migration.has_failed() {
                return Ok(Pass::new(actual, evidence()));
            }
            return Err(Stop::unproven(actual, evidence()));
        };
        if let Some(failing) = planned_steps.iter().find(|planned| must_fail(planned)) {
            let order = failing.step.step_order;
            let why = if failing.links_nothing {
                "the record that it links is absent"
            } else {
                "its record existed"
            };
            let actual = format!("success was claimed, and step {order} had to fail: {why}");
            // A target may have stored what the step carries.
            let is_there = failing.links_nothing && migration.after.contains_key(&failing.place);
            let stop =
                if is_there { Stop::unproven(actual, evidence()) } else { Stop::broken(actual, evidence()) };
            return Err(stop);
        }
        let count = Count::of(&migration, migration.conflict_log().as_deref());
        if let Some(lost) = count.lost.first() {
            let actual = format!("success was claimed, and {lost} is not there");
            let is_counted = view.skipped_count.is_some_and(|skipped| skipped >= count.lost.len() as u64);
            if self.may_be_refused && is_counted {
                let actual = format!("{actual}; it may be counted as skipped");
                return Err(Stop::unproven(actual, evidence()));
            }
            return Err(Stop::broken(actual, evidence()));
        }
        if let Some(loss) = losses(trace, &migration).into_iter().max_by_key(|loss| loss.is_whole) {
            let actual = format!("success was claimed, and {}", loss.what);
            return Err(if loss.is_whole {
                Stop::broken(actual, evidence())
            } else {
                Stop::unproven(actual, evidence())
            });
        }
        let claimed =
            view.applied_count.or_unproven_at("the answer has no applied_count", &migration.evidence)?;
        let actual =
            format!("applied_count {claimed}, {} created, {} carried in all", count.created, count.carried);
        require((count.created..=count.carried).contains(&claimed), || actual.clone(), evidence())?;
        Ok(Pass::new(actual, evidence()))
    }
}

/// A created record that lacks content which the same list shows of a record of the operator's.
struct Loss {
    what: String,
    /// `true` if nothing of its content is there, and the answer names none of what is missing.
    is_whole: bool,
}

/// Returns the created records that lack content. A record of which a part is stored is not applied (`binding.md`, reading
/// 88), and a list may show less: a member counts where the list shows it of a record that the operator put.
fn losses(trace: &Trace, migration: &Migration<'_>) -> Vec<Loss> {
    let planned_steps = migration.planned_steps();
    let answer = migration.call.exchange.response.as_ref().and_then(|answer| answer.body.json());
    let answer = answer.map(Value::to_string).unwrap_or_default();
    let loss_of = |planned: &PlannedStep<'_>| {
        let is_new = planned.step.action == action::CREATE && !planned.collides && !planned.may_collide;
        let is_checked =
            is_new && is_alone(planned, &planned_steps) && !is_of_open_step(planned, &planned_steps);
        let stored = migration.after.get(&planned.place).filter(|_| is_checked)?;
        let shown = shown_of_operators(trace, migration, &planned.place.0);
        let slug = trace.slug_of(&planned.place.0);
        let mut sent = content_of(planned.step, slug);
        sent.retain(|name, member| shown.contains(*name) && (member.is_number() || is_text(member)));
        let is_stored = |(name, member): &(&&str, &&Value)| {
            stored.get(**name).is_some_and(|stored| !stored.is_null())
                || stored.values().any(|stored| holds(stored, member))
        };
        let lost: Vec<&str> =
            sent.iter().filter(|member| !is_stored(member)).map(|(name, _)| *name).collect();
        let first = lost.first()?;
        let is_named = lost.iter().any(|name| answer.contains(&format!("\"{name}\"")));
        let what = format!(
            "the {} of step {} is there without its {first:?}, which the list shows of another record",
            planned.place.0, planned.step.step_order
        );
        let is_whole = lost.len() == sent.len() && !is_named && has_no_content(stored);
        Some(Loss { what, is_whole })
    };
    planned_steps.iter().filter_map(loss_of).collect()
}

/// Returns whether a value is another one, or has it at any depth.
fn holds(stored: &Value, member: &Value) -> bool {
    match stored {
        Value::Array(items) => items.iter().any(|item| holds(item, member)),
        Value::Object(members) => members.values().any(|item| holds(item, member)),
        _ => stored == member,
    }
}

/// Returns whether a record has its id alone, beside what the destination writes. Any other member may be a state, or hold the
/// content in a form of the platform's own.
fn has_no_content(stored: &Map<String, Value>) -> bool {
    let is_bare = |name: &str| ["id", "kind"].contains(&name) || OWN_MEMBERS.contains(&name);
    stored.iter().all(|(name, member)| is_bare(name) || member.is_null())
}

fn is_text(member: &Value) -> bool {
    member.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Returns the members that the list shows of the operator's records of a kind, as they were put.
fn shown_of_operators<'a>(trace: &Trace, migration: &'a Migration<'_>, kind: &str) -> BTreeSet<&'a str> {
    let of_kind = migration.after.iter().filter(|((listed, _), _)| listed == kind);
    let shown = of_kind.filter_map(|((kind, id), record)| {
        let put = last_put(trace, migration.call.n(), kind, id)?;
        let is_as_put = |(name, member): &(&'a String, &'a Value)| put.get(*name) == Some(*member);
        Some(record.iter().filter(is_as_put).map(|(name, _)| name.as_str()).collect::<Vec<_>>())
    });
    shown.flatten().collect()
}

/// The counts of the steps of a completed plan.
#[derive(Default)]
struct Count {
    /// The number of records that did not exist before and exist now, without those that a step of an open
    /// action may have stored: the binding does not say how such a step counts.
    created: u64,
    /// The number of steps whose record is there as carried, or linked.
    carried: u64,
    /// The records of steps that are neither there nor reported as a conflict, in words.
    lost: Vec<String>,
}

impl Count {
    fn of(migration: &Migration<'_>, log: Option<&[Conflict]>) -> Self {
        let mut count = Self::default();
        let planned_steps = migration.planned_steps();
        for planned in &planned_steps {
            let stored = migration.after.get(&planned.place);
            let is_of_step = |conflict: &Conflict| conflict.step_order == planned.step.step_order;
            // Without a log it is unknown whether a step gave way to a record with its slug.
            let is_reported = log.map_or(planned.may_collide, |log| log.iter().any(is_of_step));
            let has_effect =
                |stored| !is_alone(planned, &planned_steps) || migration.took_effect(planned, stored);
            match (planned.step.action.as_str(), stored) {
                (_, Some(stored)) if is_of_open_step(planned, &planned_steps) => {
                    let is_new = !migration.before.contains_key(&planned.place);
                    count.carried += u64::from(is_new || has_effect(stored));
                }
                (action::CREATE, Some(_)) if !planned.collides => {
                    count.created += 1;
                    count.carried += 1;
                }
                (action::CREATE, Some(stored)) if has_effect(stored) => count.carried += 1,
                (action::CREATE, None) if !is_reported => {
                    count.lost.push(format!("the {} of step {}", planned.place.0, planned.step.step_order));
                }
                (action::LINK_LOCAL, Some(_)) => count.carried += 1,
                _ => {}
            }
        }
        count
    }
}

/// Returns whether the record of a step may be there because of a step whose action the binding does not
/// define.
fn is_of_open_step(planned: &PlannedStep<'_>, all: &[PlannedStep<'_>]) -> bool {
    all.iter().any(|other| other.is_open && other.place == planned.place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{
        conflict, done, failing, listed, migrated, plan, row, short, step, transfer, with_action,
        with_labels, with_policy,
    };
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    #[test]
    fn no_success_may_be_claimed_of_a_plan_that_has_to_fail() {
        let steps = json!([step(1, "1"), failing(step(2, "2"))]);
        for (status, answer, after, expected) in [
            (422, json!({"error": "no"}), json!([row("2")]), Kept),
            (429, json!({"error": "no"}), json!([row("2")]), Unproven),
            (503, json!({"error": "no"}), json!([row("2")]), Unproven),
            (200, json!({"data": {"status": "failed"}}), json!([row("2")]), Kept),
            (202, json!({"data": {"status": "applying"}}), json!([row("2")]), Unproven),
            (201, done(1, &json!([])), json!([row("1"), row("2")]), Broken),
        ] {
            let builder = migrated(&json!([row("2")]), &steps, status, &answer, &after);
            let verdict = builder.verdict::<MigrationClaimsMatchRecords>(with_labels(&[]));
            assert_eq!(verdict, expected, "{status} {answer}");
        }
    }

    #[test]
    fn a_link_to_no_record_fails_a_plan() {
        let steps = |id: &str| json!([step(1, "1"), with_action(step(2, id), "link_local")]);
        let verdict = |before: &Value, id: &str, status: u16, answer: &Value, after: &Value| {
            migrated(before, &steps(id), status, answer, after)
                .verdict::<MigrationClaimsMatchRecords>(with_labels(&[]))
        };
        let both = json!([row("1"), row("2")]);
        let claimed = done(1, &json!([]));
        assert_eq!(verdict(&json!([]), "2", 201, &claimed, &json!([row("1")])), Broken);
        assert_eq!(verdict(&json!([]), "2", 422, &json!({"error": "no"}), &json!([])), Kept);
        assert_eq!(
            verdict(&json!([]), "2", 201, &claimed, &both),
            Unproven,
            "it stored what the step carries"
        );
        assert_eq!(verdict(&json!([row("2")]), "2", 201, &claimed, &both), Kept);
        assert_eq!(
            verdict(&json!([]), "1", 201, &claimed, &json!([row("1")])),
            Kept,
            "an earlier step made it"
        );
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
            let builder = migrated(&json!([]), &steps, 201, &done(applied, &json!([])), &after);
            let verdict = builder.verdict::<MigrationClaimsMatchRecords>(with_labels(&[]));
            assert_eq!(verdict, expected, "{applied} {}", short(&after));
        }
    }

    #[test]
    fn a_plan_that_may_be_refused_is_kept_if_nothing_of_it_is_left() {
        let refused = |may_be_refused: bool, after: &Value| {
            let mut with = with_labels(&[]);
            with["may_be_refused"] = json!(may_be_refused);
            let steps = json!([step(1, "1"), step(2, "2")]);
            migrated(&json!([]), &steps, 422, &json!({"error": "no"}), after)
                .verdict::<MigrationClaimsMatchRecords>(with)
        };
        assert_eq!([refused(true, &json!([])), refused(false, &json!([]))], [Kept, Unproven]);
        assert_eq!(refused(true, &json!([row("1")])), Unproven, "what is left of it is 7.1");
        let skipped = |count: u64| {
            let mut with = with_labels(&[]);
            with["may_be_refused"] = json!(true);
            let mut answer = done(1, &Value::Null);
            answer["data"]["skipped_count"] = json!(count);
            let steps = json!([step(1, "1"), step(2, "2")]);
            migrated(&json!([]), &steps, 201, &answer, &json!([row("1")]))
                .verdict::<MigrationClaimsMatchRecords>(with)
        };
        assert_eq!([skipped(1), skipped(0)], [Unproven, Broken]);
    }

    #[test]
    fn a_step_of_an_action_that_is_not_defined_counts_or_does_not() {
        let mut open = step(2, "2");
        open["action"] = json!("conflict");
        let both = json!([row("1"), row("2")]);
        for (before, applied, after, expected) in [
            (json!([]), 2, both.clone(), Kept),
            (json!([]), 1, both.clone(), Kept),
            (json!([]), 0, both.clone(), Broken),
            (json!([]), 3, both.clone(), Broken),
            (json!([]), 1, json!([row("1")]), Kept),
            (json!([]), 2, json!([row("1")]), Broken),
            (json!([row("2")]), 1, both.clone(), Kept),
            (json!([row("2")]), 2, both.clone(), Kept),
        ] {
            let builder =
                migrated(&before, &json!([step(1, "1"), open]), 201, &done(applied, &json!([])), &after);
            let verdict = builder.verdict::<MigrationClaimsMatchRecords>(with_labels(&[]));
            assert_eq!(verdict, expected, "{applied} {} {}", short(&before), short(&after));
        }
    }

    #[test]
    fn a_member_that_a_list_does_not_show_contradicts_no_claim() {
        let steps = json!([with_policy(step(1, "1"), "overwrite")]);
        let log = json!([conflict(1, "1", "overwritten")]);
        for (record, expected) in
            [(json!({"id": "1", "ref": {"parent_id": "old"}}), Broken), (json!({"id": "1"}), Kept)]
        {
            let listed = json!([{"kind": "skill", "id": "1", "record": record}]);
            let builder = migrated(&listed, &steps, 201, &done(1, &log), &listed);
            assert_eq!(
                builder.verdict::<MigrationClaimsMatchRecords>(with_labels(&[])),
                expected,
                "{record}"
            );
        }
    }

    #[test]
    fn a_record_without_content_is_not_applied_where_the_list_shows_that_of_another() {
        let named = |id: &str, name: &str| json!({"id": id, "name": name, "team": "red"});
        let mut step = step(1, "1");
        step["payload"] = named("1", "sent");
        let verdict = |own: &Value, stored: Value, answer: Value| {
            let row = |id: &str, record: &Value| json!({"kind": "skill", "id": id, "record": record});
            let put = json!({"kind": "skill", "id": "o", "record": named("o", "own")});
            let builder = TraceBuilder::new().operation_with("", "resource.put", put, json!({}));
            let builder = listed(builder, "before", &json!([row("o", own)]));
            let builder = transfer(builder, "plan", plan(&json!([step])), 201, &answer);
            listed(builder, "after", &json!([row("o", own), row("1", &stored)]))
                .verdict::<MigrationClaimsMatchRecords>(with_labels(&[]))
        };
        let (own, plain) = (named("o", "own"), done(1, &json!([])));
        assert_eq!(verdict(&own, named("1", "sent"), plain.clone()), Kept);
        assert_eq!(verdict(&own, json!({"id": "1"}), plain.clone()), Broken);
        assert_eq!(verdict(&own, json!({"id": "1", "created_at": "t"}), plain.clone()), Broken);
        assert_eq!(verdict(&own, json!({"id": "1", "payload": named("1", "sent")}), plain.clone()), Kept);
        assert_eq!(
            verdict(&own, json!({"id": "1", "title": "Sent", "group": "Red"}), plain.clone()),
            Unproven,
            "under other names, and written in another way"
        );
        assert_eq!(verdict(&own, json!({"id": "1", "team": "red"}), plain.clone()), Unproven, "a part of it");
        assert_eq!(verdict(&own, json!({"id": "1", "state": "in review"}), plain.clone()), Unproven);
        assert_eq!(verdict(&own, json!({"id": "1", "title": "sent", "group": "red"}), plain.clone()), Kept);
        assert_eq!(
            verdict(&json!({"id": "o"}), json!({"id": "1"}), plain.clone()),
            Kept,
            "a list may show less"
        );
        let mut warned = plain;
        warned["warnings"] = json!({"name": "not stored", "team": "not stored"});
        assert_eq!(verdict(&own, json!({"id": "1"}), warned), Unproven, "the answer says so");
    }
}
