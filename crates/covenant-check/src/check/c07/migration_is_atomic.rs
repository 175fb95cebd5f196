//! `migration-is-atomic`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::migration::{Migration, must_fail, was_completed};
use crate::check::arguments::{CaseLabel, Label};
use crate::check::definition::Check;
use crate::check::migration_model::PlannedStep;
use crate::check::outcome::{Outcome, Pass, Stop};
use covenant_model::operator::{OperatorMethod, platform};
use covenant_model::transcript::{Exchange, FailureKind, Trace};
use covenant_model::wire::migration::action;

/// The first status that says that the server failed.
const SERVER_ERRORS: u16 = 500;
/// The statuses by which a gateway answers for a platform that died.
const OF_GATEWAY: [u16; 3] = [502, UNAVAILABLE, 504];
/// The status that a platform, or a limit in front of it, gives too when it never tried the plan.
const UNAVAILABLE: u16 = 503;

/// A plan that failed left nothing, and a plan whose answer never came left nothing or all of itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct MigrationIsAtomic {
    /// The migration that is checked.
    pub plan: Label,
    /// The commit of the plan, where it was opened first.
    pub commit: Option<CaseLabel>,
    /// The snapshot of the records before the plan.
    pub before: Label,
    /// The snapshot of the records after the plan.
    pub after: Label,
    /// The same plan, valid in just the one thing, which has to be applied.
    pub control: Option<CaseLabel>,
    /// The snapshot of the records after the control. With it the control counts only if it overwrote each record that it was to
    /// overwrite.
    pub applied: Option<Label>,
}

impl Check for MigrationIsAtomic {
    const ID: &'static str = "migration-is-atomic";
    const EXPECTED: &'static [&'static str] = &[
        "after a failure: the records as they were before",
        "after a lost answer: all of the plan, or nothing of it",
    ];
    const CONTROL: Option<&'static str> =
        Some("a valid plan of the same form was applied, where the scenario sends one");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let migration = Migration::read(trace, &self.plan, self.commit.as_ref(), &self.before, &self.after)?;
        let exchange = migration.call.exchange;
        let was_restarted = was_restarted(trace, &migration);
        let is_lost = is_lost(exchange, was_restarted);
        let is_complete = is_complete(&migration);
        let evidence = migration.evidence.iter().copied();
        // A target that does not know `commit` applies or refuses the plan as any other.
        if migration.was_answered_at_once {
            let actual = format!("the plan was to be opened, and was not: {}", migration.call.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        if !is_lost && (exchange.was_put_off() || exchange.status().is_none()) {
            let actual = format!("the plan was put off, or its answer lost: {}", migration.call.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        if (!is_lost && !migration.has_failed()) || (exchange.says_otherwise() && is_complete) {
            return Err(Stop::unproven("the plan was accepted, so that nothing failed", evidence));
        }
        let Some(remains) = migration.remains() else {
            if exchange.status() == Some(UNAVAILABLE) {
                let actual = format!("{}, and it left nothing", migration.call.summary());
                return Err(Stop::unproven(actual, evidence));
            }
            if self.control.as_ref().is_some_and(|control| !was_completed(trace, control)) {
                return Err(Stop::unproven("a valid plan was not applied either", []));
            }
            if let Some((control, applied)) = self.control.as_ref().zip(self.applied.as_ref()) {
                let valid = Migration::read(trace, &(&**control).into(), None, &self.after, applied)?;
                if let Some(step) = valid.not_overwritten() {
                    let actual = format!("step {step} of the valid plan did not overwrite either");
                    return Err(Stop::unproven(actual, valid.evidence));
                }
            }
            return Ok(Pass::new(format!("{}; it left nothing", migration.call.summary()), evidence));
        };
        if is_complete && is_lost {
            return Ok(Pass::new("the answer was lost; the plan is applied completely", evidence));
        }
        // An error of the server may come from in front of the platform, and the plan may go on behind it.
        let is_answer_of_server = exchange.status().is_some_and(|status| status >= SERVER_ERRORS);
        let is_open = migration.planned_steps().iter().any(|planned| planned.is_open);
        if is_complete && is_answer_of_server && !is_open {
            let actual = format!("{}, and the plan is applied completely", migration.call.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        let timed_out = exchange.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Timeout);
        // What a platform that died left does not go on.
        if timed_out && !was_restarted {
            let actual = format!("{}, and {}: it may go on", migration.call.summary(), remains.what);
            return Err(Stop::unproven(actual, evidence));
        }
        // A target that does not take the commit as a condition may have applied the plan before the commit
        // was requested.
        if is_complete && migration.was_opened {
            let actual = "the plan is applied completely, though its commit was refused";
            return Err(Stop::unproven(actual, evidence));
        }
        let actual = format!("{}, and {}", migration.call.summary(), remains.what);
        if !remains.is_of_plan {
            return Err(Stop::unproven(format!("{actual}, which the plan has nothing to do with"), evidence));
        }
        Err(Stop::broken(actual, evidence))
    }
}

/// Returns whether the platform was killed, or started again, between the plan and the records after it.
fn was_restarted(trace: &Trace, migration: &Migration<'_>) -> bool {
    let (first, last) = (migration.call.n(), migration.evidence.iter().max().copied().unwrap_or_default());
    let mut restarts = trace.operations([platform::Kill::METHOD, platform::Start::METHOD]);
    restarts.any(|(n, operation)| (first..last).contains(&n) && operation.failure.is_none())
}

/// Returns whether the answer to a plan that may have arrived never came.
fn is_lost(exchange: &Exchange, was_restarted: bool) -> bool {
    match (exchange.status(), &exchange.failure) {
        (Some(status), _) => was_restarted && OF_GATEWAY.contains(&status),
        (None, Some(failure)) => matches!(failure.kind, FailureKind::Closed | FailureKind::Timeout),
        (None, None) => true,
    }
}

/// Returns whether each record that the plan creates is there, or each that it deletes is gone.
fn is_complete(migration: &Migration<'_>) -> bool {
    let is_deletion = migration.is_deletion();
    let is_there =
        |planned: &PlannedStep<'_>| migration.after.contains_key(&planned.place) && !must_fail(planned);
    migration.planned_steps().iter().all(|planned| match planned.step.action.as_str() {
        _ if is_deletion => !migration.after.contains_key(&planned.place),
        action::CREATE => is_there(planned),
        action::LINK_LOCAL => !planned.links_nothing || migration.after.contains_key(&planned.place),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{
        commit, done, failing, listed, migrated, plan, row, short, step, transfer, with_action, with_labels,
        with_policy,
    };
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    #[test]
    fn a_failure_that_leaves_something_is_broken_and_one_that_leaves_nothing_kept() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        let failed = json!({"error": "no"});
        for (status, after, expected) in [
            (422, json!([]), Kept),
            (422, json!([row("1")]), Broken),
            (422, json!([row("7")]), Broken),
            (422, json!([{"kind": "skill", "id": "7", "name": "of another user"}]), Unproven),
            (0, json!([row("1")]), Broken),
            (0, json!([row("1"), row("2")]), Kept),
            (0, json!([]), Kept),
            (201, json!([row("1"), row("2")]), Unproven),
            (500, json!([]), Kept),
            (500, json!([row("1")]), Broken),
            (500, json!([row("1"), row("2")]), Unproven),
            (422, json!([row("1"), row("2")]), Broken),
        ] {
            let builder = migrated(&json!([]), &steps, status, &failed, &after);
            let verdict = builder.verdict::<MigrationIsAtomic>(with_labels(&[]));
            assert_eq!(verdict, expected, "{status} {}", short(&after));
        }
    }

    #[test]
    fn a_plan_that_was_put_off_or_still_goes_on_shows_nothing() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        for status in [408, 425, 429, 502, 503, 504] {
            for after in [json!([]), json!([row("1")]), json!([row("1"), row("2")])] {
                let builder = migrated(&json!([]), &steps, status, &json!({"error": "no"}), &after);
                let verdict = builder.verdict::<MigrationIsAtomic>(with_labels(&[]));
                assert_eq!(verdict, Unproven, "{status} {}", short(&after));
            }
        }
        let announced = json!([step(1, "1"), with_action(step(2, "2"), "conflict")]);
        let builder = migrated(&json!([]), &announced, 500, &json!({"error": "no"}), &json!([row("1")]));
        assert_eq!(builder.verdict::<MigrationIsAtomic>(with_labels(&[])), Broken, "it is not complete");
        let lost = |kind: FailureKind| {
            let plan = Exchange::to_target("alice").on("POST", "migrations").sending(plan(&steps));
            let builder = listed(TraceBuilder::new(), "before", &json!([])).call("plan", plan.failing(kind));
            listed(builder, "after", &json!([row("1")])).verdict::<MigrationIsAtomic>(with_labels(&[]))
        };
        assert_eq!([lost(FailureKind::Closed), lost(FailureKind::Timeout)], [Broken, Unproven]);
    }

    #[test]
    fn a_platform_that_died_leaves_nothing_or_all_whoever_answers_for_it() {
        let steps = json!([step(1, "1"), step(2, "2")]);
        let sent = || Exchange::to_target("alice").on("POST", "migrations").sending(plan(&steps));
        let died = |call: Exchange, rows: &[&str]| {
            let left: Vec<Value> = rows.iter().map(|id| row(id)).collect();
            let builder = listed(TraceBuilder::new(), "before", &json!([])).call("plan", call);
            let builder = builder.operation("", "platform.kill", json!({}));
            listed(builder.operation("", "platform.start", json!({})), "after", &json!(left))
                .verdict::<MigrationIsAtomic>(with_labels(&[]))
        };
        let answered = |status| move || sent().answered_with(status, json!({"error": "no"}));
        let failed = |kind| move || sent().failing(kind);
        let all = |call: &dyn Fn() -> Exchange| [&[][..], &["1"], &["1", "2"]].map(|rows| died(call(), rows));
        assert_eq!(all(&answered(502)), [Kept, Broken, Kept]);
        assert_eq!(all(&answered(504)), [Kept, Broken, Kept]);
        assert_eq!(all(&answered(503)), [Unproven, Broken, Kept], "it may never have been tried");
        assert_eq!(all(&answered(429)), [Unproven; 3]);
        assert_eq!(all(&failed(FailureKind::Timeout)), [Kept, Broken, Kept]);
        assert_eq!(all(&failed(FailureKind::Refused)), [Unproven; 3]);
    }

    #[test]
    fn a_plan_that_never_reached_the_platform_shows_nothing() {
        use FailureKind::{Certificate, Closed, Handshake, Refused, Request, Timeout, Untrusted};
        let verdict = |kind: FailureKind| {
            let sent =
                Exchange::to_target("alice").on("POST", "migrations").sending(plan(&json!([step(1, "1")])));
            let builder = listed(TraceBuilder::new(), "before", &json!([])).call("plan", sent.failing(kind));
            listed(builder, "after", &json!([])).verdict::<MigrationIsAtomic>(with_labels(&[]))
        };
        assert_eq!([Refused, Handshake, Untrusted, Request, Certificate].map(verdict), [Unproven; 5]);
        assert_eq!([Closed, Timeout].map(verdict), [Kept; 2]);
    }

    #[test]
    fn a_deletion_that_fails_deletes_nothing() {
        let verdict = |status: u16, after: &Value| {
            let mut deletion =
                plan(&json!([with_action(step(1, "1"), "skip"), with_action(step(2, "2"), "skip")]));
            deletion["operation"] = json!("delete");
            let builder = listed(TraceBuilder::new(), "before", &json!([row("1"), row("2")]));
            let builder = transfer(builder, "plan", deletion, status, &json!({"error": "no"}));
            listed(builder, "after", after).verdict::<MigrationIsAtomic>(with_labels(&[]))
        };
        for status in [422, 500] {
            assert_eq!(verdict(status, &json!([row("1"), row("2")])), Kept, "{status}");
            assert_eq!(verdict(status, &json!([row("2")])), Broken, "{status}");
        }
        assert_eq!([verdict(422, &json!([])), verdict(500, &json!([]))], [Broken, Unproven]);
        let lost = [json!([row("1"), row("2")]), json!([row("2")]), json!([])];
        assert_eq!(lost.map(|after| verdict(0, &after)), [Kept, Broken, Kept]);
    }

    #[test]
    fn a_member_that_the_platform_changes_itself_is_nothing_left() {
        let steps = json!([step(1, "1"), failing(step(2, "2"))]);
        let noted = |name: &str, at: u64| json!({"kind": "skill", "id": "2", "record": {"id": "2", "name": name, "ref": {}, "seen": at}});
        for (answer, after, expected) in [
            (json!({"error": "no"}), noted("a", 2), Kept),
            (json!({"error": "no"}), row("2"), Broken),
            (json!({"data": {"status": "failed"}}), noted("a", 2), Kept),
            (json!({"data": {"status": "failed"}}), row("2"), Broken),
        ] {
            let status = if answer.get("error").is_some() { 422 } else { 200 };
            let builder = migrated(&json!([noted("a", 1)]), &steps, status, &answer, &json!([after]));
            let verdict = builder.verdict::<MigrationIsAtomic>(with_labels(&[]));
            assert_eq!(verdict, expected, "{answer} {}", short(&after));
        }
    }

    #[test]
    fn a_valid_plan_that_did_not_overwrite_shows_no_undone_one() {
        let named = |name: &str| json!({"kind": "skill", "id": "1", "record": {"id": "1", "name": name}});
        let overwriting = |name: &str| {
            let mut step = with_policy(step(1, "1"), "overwrite");
            step["payload"] = json!({"id": "1", "name": name});
            step
        };
        let verdict = |applied: &str| {
            let steps = json!([overwriting("b"), failing(step(2, "2"))]);
            let (before, failed) = (json!([named("a"), row("2")]), json!({"error": "no"}));
            let builder = migrated(&before, &steps, 422, &failed, &before);
            let control = plan(&json!([overwriting("c")]));
            let builder = transfer(builder, "control", control, 201, &done(1, &json!([])));
            listed(builder, "applied", &json!([named(applied), row("2")]))
                .verdict::<MigrationIsAtomic>(with_labels(&["control", "applied"]))
        };
        assert_eq!(verdict("c"), Kept);
        assert_eq!(verdict("a"), Unproven, "it skips what it is to overwrite");
    }

    #[test]
    fn an_opened_plan_is_evaluated_by_its_commit() {
        let steps = json!([step(1, "1"), failing(step(2, "2")), step(3, "3")]);
        let opened = json!({"data": {"migration_id": "m", "status": "transferring"}});
        let opening = || {
            let mut opening = plan(&steps);
            opening["commit"] = json!(false);
            opening
        };
        let evaluated = |opened: (u16, &Value), committed: u16, left: &[&str], control: u16| {
            let left: Vec<Value> = left.iter().map(|id| row(id)).collect();
            let builder = listed(TraceBuilder::new(), "before", &json!([row("2")]));
            let builder = transfer(builder, "plan", opening(), opened.0, opened.1);
            let builder = listed(commit(builder, "commit", committed), "after", &json!(left));
            transfer(builder, "control", plan(&steps), control, &done(1, &json!([])))
                .verdict::<MigrationIsAtomic>(with_labels(&["commit", "control"]))
        };
        let refused = json!({"error": "no"});
        assert_eq!(evaluated((202, &opened), 422, &["2"], 201), Kept);
        assert_eq!(evaluated((202, &opened), 422, &["1", "2"], 201), Broken);
        assert_eq!(evaluated((202, &opened), 0, &["1", "2"], 201), Broken);
        assert_eq!(evaluated((202, &opened), 422, &["2"], 422), Unproven);
        // The migration was not opened at all.
        assert_eq!(evaluated((422, &refused), 404, &["2"], 201), Unproven);
        assert_eq!(evaluated((201, &opened), 422, &["2"], 201), Kept, "its status says that it is open");
        assert_eq!(evaluated((201, &done(2, &json!([]))), 404, &["1", "2", "3"], 201), Unproven);
    }

    #[test]
    fn an_opened_plan_that_is_complete_after_a_refused_commit_proves_nothing() {
        let builder = listed(TraceBuilder::new(), "before", &json!([]));
        let applying = json!({"data": {"status": "applying"}});
        let builder = transfer(builder, "plan", plan(&json!([step(1, "1")])), 202, &applying);
        let builder = listed(commit(builder, "commit", 404), "after", &json!([row("1")]));
        assert_eq!(builder.verdict::<MigrationIsAtomic>(with_labels(&["commit"])), Unproven);
    }

    #[test]
    fn a_record_of_another_plan_between_the_snapshots_is_left_behind() {
        let invalid = |id: &str| plan(&json!([step(1, id)]));
        let failed = json!({"error": "no"});
        let begun = listed(TraceBuilder::new(), "before", &json!([]));
        let first = transfer(begun, "plan", invalid("1"), 422, &failed);
        let second = transfer(first, "plan", invalid("2"), 422, &failed);
        let builder = listed(second, "after", &json!([row("1")]));
        assert_eq!(builder.verdict::<MigrationIsAtomic>(with_labels(&[])), Broken);
    }
}
