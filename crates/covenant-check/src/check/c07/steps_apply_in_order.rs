//! `steps-apply-in-order`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::migration::was_completed;
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::migration_model::{Preservation, preservation};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, Records, calls, records};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::{MigrationRequest, Step};

/// A plan whose steps are about one record leaves it as its last step, by number, carries it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct StepsApplyInOrder {
    /// The plan.
    pub plan: Label,
    /// A plan in which array, numbers and digits have one order. It has to be applied in it.
    pub control: Label,
    /// The snapshot of the records after the plans.
    pub after: Label,
}

impl Check for StepsApplyInOrder {
    const ID: &'static str = "steps-apply-in-order";
    const EXPECTED: &'static [&'static str] = &["the content of the step with the largest number"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (listed, after) =
            records(trace, &self.after).or_unproven("the records after could not be read")?;
        let evidence = |n: u64| listed.iter().copied().chain([n]);
        let (control_n, control) = read(trace, &self.control)?;
        if last_applied(&control, &after) != Some(Applied::Last) {
            let actual = "a plan that names a record twice, in one order throughout, is not applied in it";
            return Err(Stop::unproven(actual, evidence(control_n)));
        }
        let (n, plan) = read(trace, &self.plan)?;
        let seen = evidence(n).chain([control_n]);
        match last_applied(&plan, &after) {
            Some(Applied::Last) => Ok(Pass::new("the record is as the last step carries it", seen)),
            Some(Applied::Earlier(order)) => {
                let actual = format!("success was claimed, and the record is as step {order} carries it");
                Err(Stop::broken(actual, seen))
            }
            None => Err(Stop::unproven("the record is as no step carries it", seen)),
        }
    }
}

/// Returns a plan that was applied, with its entry.
fn read(trace: &Trace, label: &Label) -> Result<(u64, MigrationRequest), Stop> {
    let call = calls(trace).labelled(label).last_or("the plan was not sent")?;
    let sent = call.exchange.sent().and_then(|sent| MigrationRequest::deserialize(sent).ok());
    let sent = sent.or_unproven_at("the plan that was sent can't be read back", &[call.n()])?;
    if !was_completed(trace, label) {
        return Err(Stop::unproven(format!("the plan was not applied: {}", call.summary()), [call.n()]));
    }
    Ok((call.n(), sent))
}

/// The step whose content the record has at the end.
#[derive(Debug, PartialEq)]
enum Applied {
    Last,
    Earlier(i64),
}

fn last_applied(plan: &MigrationRequest, after: &Records) -> Option<Applied> {
    let mut steps: Vec<&Step> = plan.steps.iter().collect();
    steps.sort_by_key(|step| step.step_order);
    let (last, earlier) = steps.split_last()?;
    let is_stored = |step: &&&Step| {
        let stored = after.get(&(step.resource_kind.clone(), step.resource_id.clone()));
        stored.is_some_and(|stored| preservation(step, stored) == Preservation::Complete)
    };
    let earlier = earlier.iter().find(is_stored).map(|step| Applied::Earlier(step.step_order));
    if is_stored(&last) { earlier.is_none().then_some(Applied::Last) } else { earlier }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{done, listed, transfer};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    fn plan(id: &str, orders: [i64; 2]) -> Value {
        let step = |order: i64, name: &str| {
            json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "action": "create",
                   "conflict_policy": "overwrite", "payload": {"id": id, "name": name}})
        };
        let [low, high] = [orders[0].min(orders[1]), orders[0].max(orders[1])];
        let named = |order: i64| step(order, if order == high { "last" } else { "first" });
        assert_ne!(low, high, "two steps");
        json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": id,
               "plan_summary": {}, "steps": orders.map(named)})
    }

    /// Returns the verdict where the records of the control and of the plan end as named.
    fn verdict(status: u16, control: &str, tested: &str) -> Verdict {
        let answer = done(2, &json!([]));
        let row =
            |id: &str, name: &str| json!({"kind": "skill", "id": id, "record": {"id": id, "name": name}});
        let builder = transfer(TraceBuilder::new(), "control", plan("1", [1, 2]), 201, &answer);
        let builder = transfer(builder, "plan", plan("2", [2, 1]), status, &answer);
        listed(builder, "after", &json!([row("1", control), row("2", tested)]))
            .verdict::<StepsApplyInOrder>(json!({"plan": "plan", "control": "control", "after": "after"}))
    }

    #[test]
    fn the_record_is_as_the_last_step_carries_it() {
        assert_eq!(verdict(201, "last", "last"), Kept);
        assert_eq!(verdict(201, "last", "first"), Broken);
        assert_eq!(verdict(201, "last", "another"), Unproven, "renamed, or cut off");
    }

    #[test]
    fn a_target_that_takes_no_record_twice_proves_nothing() {
        assert_eq!(verdict(422, "last", "first"), Unproven);
        assert_eq!(verdict(201, "first", "first"), Unproven);
    }
}
