//! `failed-migration-is-ended`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, migration_shown};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::state;

/// The record of a plan that failed shows a migration that has ended, and was not applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct FailedMigrationIsEnded {
    /// The plan that fails.
    pub plan: Label,
    /// Labels of the last reads of the migration by the operator afterwards. The first that shows one counts.
    pub shown: Labels,
}

impl Check for FailedMigrationIsEnded {
    const ID: &'static str = "failed-migration-is-ended";
    const EXPECTED: &'static [&'static str] = &["a migration that is shown as failed or cancelled"];
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let plan = calls(trace).labelled(&self.plan).last_or("the migration was not sent")?;
        if call_outcome(plan.exchange) != CallOutcome::Refused {
            return Err(Stop::unproven(format!("the plan did not fail: {}", plan.summary()), [plan.n()]));
        }
        let shown = self.shown.iter().find_map(|label| migration_shown(trace, label));
        let (n, migration) = shown.or_unproven_at("the migration was not shown", &[plan.n()])?;
        let evidence = [plan.n(), n];
        match migration["status"].as_str() {
            Some(status) if state::WITHOUT_EFFECT.contains(&status) => {
                Ok(Pass::new(format!("{}; it is shown as {status}", plan.summary()), evidence))
            }
            Some(status) if state::UNFINISHED.contains(&status) => {
                Err(Stop::broken(format!("{}; it is left as {status}", plan.summary()), evidence))
            }
            Some("completed") => {
                Err(Stop::broken(format!("{}; it is shown as completed", plan.summary()), evidence))
            }
            Some(status) => {
                Err(Stop::unproven(format!("{}; it is shown as {status}", plan.summary()), evidence))
            }
            None => Err(Stop::unproven("the migration is shown without a status", evidence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on a plan that is answered with this status, and shown with that one.
    fn ended(answer: u16, shown: &str) -> Verdict {
        let plan = Exchange::to_target("alice").on("POST", "migrations").sending(json!({}));
        let plan = plan.answered_with(answer, json!({"data": {"migration_id": "m", "status": "completed"}}));
        TraceBuilder::new()
            .call("plan", plan)
            .operation("shown", "migration.show", json!({"migration": {"status": shown}}))
            .verdict::<FailedMigrationIsEnded>(json!({"plan": "plan", "shown": "shown"}))
    }

    #[test]
    fn a_failed_plan_that_goes_on_or_is_shown_as_completed_is_broken() {
        assert_eq!([ended(422, "failed"), ended(422, "cancelled")], [Kept; 2]);
        assert_eq!([ended(422, "applying"), ended(422, "transferring")], [Broken; 2]);
        assert_eq!(ended(422, "completed"), Broken);
        assert_eq!([ended(422, "conflict"), ended(422, "rolled back")], [Unproven; 2]);
        assert_eq!(ended(201, "completed"), Unproven, "nothing failed");
        assert_eq!([ended(429, "applying"), ended(504, "completed")], [Unproven; 2], "it may go on");
    }
}
