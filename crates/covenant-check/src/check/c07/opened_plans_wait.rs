//! `opened-plans-wait`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::migration::{Migration, completed, opens};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, records};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::{MigrationRequest, action};

/// Nothing of a plan that was opened is applied before its commit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OpenedPlansWait {
    /// The plan that was opened, and that nobody commits.
    pub plan: Label,
    /// The snapshot of the records before the plan.
    pub before: Label,
    /// The snapshot of the records some time after the plan.
    pub after: Label,
    /// An earlier plan that was opened, and then committed. It shows that the target knows an open migration.
    pub control: Label,
    /// The snapshot of the records while the earlier plan was open.
    pub waiting: Label,
    /// The commit of the earlier plan.
    pub commit: Label,
}

impl Check for OpenedPlansWait {
    const ID: &'static str = "opened-plans-wait";
    const EXPECTED: &'static [&'static str] = &["no record of a plan that was opened and not committed"];
    const CONTROL: Option<&'static str> =
        Some("a plan that was opened before waited for its commit, and was applied by it");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let opened = |label: &Label| {
            let call = calls(trace).labelled(label).last_or("the plan was not sent")?;
            if !opens(call.exchange) {
                return Err(Stop::unproven(format!("it was not opened: {}", call.summary()), [call.n()]));
            }
            Ok(call)
        };
        let (control, plan) = (opened(&self.control)?, opened(&self.plan)?);
        let commit = calls(trace).labelled(&self.commit).last_or("no earlier plan was committed")?;
        let migration = Migration::read(trace, &self.plan, None, &self.before, &self.after)?;
        let (seen_waiting, waiting) =
            records(trace, &self.waiting).or_unproven("the records of an open plan could not be read")?;
        let evidence: Vec<u64> = [control.n()]
            .into_iter()
            .chain(seen_waiting)
            .chain([commit.n()])
            .chain(migration.evidence.clone())
            .collect();
        let request = control.exchange.sent().and_then(|sent| MigrationRequest::deserialize(sent).ok());
        let request = request.or_unproven("the earlier plan can't be read back")?;
        let mut places =
            request.steps.iter().map(|step| (step.resource_kind.clone(), step.resource_id.clone()));
        let has_waited = completed(commit.exchange).is_some()
            && places
                .clone()
                .all(|place| !waiting.contains_key(&place) && migration.before.contains_key(&place));
        let steps = migration.planned_steps();
        let is_created = |place| !migration.before.contains_key(place) && migration.after.contains_key(place);
        let applied: Vec<i64> = steps
            .iter()
            .filter(|planned| planned.step.action == action::CREATE && is_created(&planned.place))
            .map(|planned| planned.step.step_order)
            .collect();
        if !has_waited {
            let actual = "an earlier plan did not wait for its commit, or was not applied by it";
            return Err(Stop::unproven(actual, evidence));
        }
        if applied.is_empty() && !places.all(|place| migration.after.contains_key(&place)) {
            let actual = "the records of the earlier plan are gone too: the list shows nothing";
            return Err(Stop::unproven(actual, evidence));
        }
        if applied.is_empty() {
            let actual = format!("{}; nothing of it is there without a commit", plan.summary());
            return Ok(Pass::new(actual, evidence));
        }
        let actual =
            format!("{} of {} steps are applied, and nobody committed the plan", applied.len(), steps.len());
        Err(Stop::broken(actual, evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{call, done, listed, plan, row, step, transfer};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Direction;
    use covenant_model::wire::path::Route;
    use serde_json::{Value, json};

    /// Returns the verdict where these records are there while the control is open, after its commit, which is answered with
    /// this status, and after the second plan was opened, with this answer.
    fn verdict(waiting: &Value, status: u16, before: &Value, answer: (u16, &str), after: &Value) -> Verdict {
        let open = |status: &str| json!({"data": {"migration_id": "m", "status": status}});
        let opening = |id: &str| {
            let mut plan = plan(&json!([step(1, id)]));
            plan["commit"] = json!(false);
            plan
        };
        let builder = transfer(TraceBuilder::new(), "control", opening("1"), 202, &open("transferring"));
        let route = Route::MigrationCommit { id: "m".to_owned() };
        let commit = call(Direction::ToTarget, &route, json!({}), status, &done(1, &json!([])));
        let builder = listed(listed(builder, "waiting", waiting).call("commit", commit), "before", before);
        listed(transfer(builder, "plan", opening("2"), answer.0, &open(answer.1)), "after", after)
            .verdict::<OpenedPlansWait>(json!({
            "plan": "plan", "before": "before", "after": "after", "control": "control", "waiting": "waiting",
            "commit": "commit",
        }))
    }

    #[test]
    fn a_plan_waits_for_its_commit_where_an_earlier_one_did() {
        let (none, one, both) = (json!([]), json!([row("1")]), json!([row("1"), row("2")]));
        let open = (202, "transferring");
        assert_eq!(verdict(&none, 201, &one, open, &one), Kept);
        assert_eq!(verdict(&none, 201, &one, open, &both), Broken);
        assert_eq!(verdict(&none, 201, &one, open, &none), Unproven, "the list is empty");
        assert_eq!(verdict(&one, 201, &one, open, &both), Unproven, "it applies each plan by itself");
        assert_eq!(verdict(&none, 404, &one, open, &both), Unproven, "it knows no commit");
        assert_eq!(verdict(&none, 201, &none, open, &both), Unproven, "the commit applied nothing");
        assert_eq!(verdict(&none, 201, &one, (201, "completed"), &both), Unproven, "it was not opened");
    }
}
