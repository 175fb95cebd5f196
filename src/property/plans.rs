//! Commitment 7: any plan, with any actions and policies, and a failure or a crash at any step.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::Property;
use super::build::{check, commit, declare, federate, grant, id, migrate, object, operator, put, titled};
use super::whole::whole;
use crate::contract::Aspect::Conduct;
use crate::contract::Basis;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, platform, resource};
use crate::scenario::{CheckSpec, Scenario, Step};

/// The number of records that exist before, `old_0` to `old_4`.
const OLD: usize = 5;
/// The maximum number of steps of a plan.
const STEPS_MAX: usize = 40;

pub(super) const PROPERTY: Property = Property {
    name: "migration-plans",
    commitment: 7,
    about: "the target applies each plan whole or not at all, and reports the result faithfully",
    edge_cases,
    scenarios,
    reduced: without_crash,
};

fn scenarios() -> BoxedStrategy<Scenario> {
    let steps = proptest::collection::vec(step(), 1..=STEPS_MAX);
    let crash = prop_oneof![4 => Just(None), 1 => (0..STEPS_MAX).prop_map(Some)];
    let opens = prop_oneof![3 => Just(false), 1 => Just(true)];
    (steps, crash, opens).prop_map(|(steps, crash, opens)| scenario(&steps, crash, opens)).boxed()
}

/// Returns the edge cases: a plan that succeeds with a conflict on its way; a plan that fails, sent at once
/// and also opened first; a plan that needs another id; and plans that fail, or are cut short by a crash, at
/// each place.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let plan = |policy: &'static str| vec![plain(Action::Create), plain(Action::Meet { old: 0, policy })];
    let (done, fails) = (plan("skip_if_exists"), plan("fail"));
    let renames = plan("rename_with_suffix");
    let sent = [done, fails.clone(), renames].map(|plan| edge_case(plan, None, false));
    let crashes = (0..PLACES).map(|place| edge_case(creating(), Some(place), false));
    let failing = (0..PLACES).map(|place| edge_case(failing_at(place), None, false));
    sent.into_iter().chain([edge_case(fails, None, true)]).chain(failing).chain(crashes).collect()
}

/// The number of places at which the plans of some edge cases go wrong.
const PLACES: usize = 5;

fn edge_case(plan: Vec<PlanStep>, crash: Option<usize>, opens: bool) -> BoxedStrategy<Scenario> {
    whole(plan).prop_map(move |plan| scenario(&plan, crash, opens)).boxed()
}

fn plain(action: Action) -> PlanStep {
    PlanStep { action, refers_to: None }
}

fn creating() -> Vec<PlanStep> {
    vec![plain(Action::Create); PLACES]
}

fn failing_at(place: usize) -> Vec<PlanStep> {
    let mut steps = creating();
    steps[place] = plain(Action::Meet { old: 0, policy: "fail" });
    steps
}

/// One step of a plan. A reference uses an index, never an id that a server assigns.
#[derive(Clone, Debug)]
struct PlanStep {
    action: Action,
    refers_to: Option<usize>,
}

#[derive(Clone, Debug)]
enum Action {
    /// A record that does not exist.
    Create,
    /// A record that exists.
    Meet {
        old: usize,
        policy: &'static str,
    },
    Link {
        old: usize,
    },
    Skip,
    /// A step that the sender itself marks as a conflict.
    Conflict,
}

fn step() -> impl Strategy<Value = PlanStep> {
    let action = prop_oneof![
        24 => Just(Action::Create),
        4 => (0..OLD, select(vec!["skip_if_exists", "overwrite"]))
            .prop_map(|(old, policy)| Action::Meet { old, policy }),
        1 => (0..OLD, select(vec!["fail", "rename_with_suffix"]))
            .prop_map(|(old, policy)| Action::Meet { old, policy }),
        2 => (0..OLD).prop_map(|old| Action::Link { old }),
        2 => Just(Action::Skip),
        1 => Just(Action::Conflict),
    ];
    (action, proptest::option::of(0..STEPS_MAX))
        .prop_map(|(action, refers_to)| PlanStep { action, refers_to })
}

/// Returns the scenario of a plan. `crash` is the number of steps after which the target dies. If `opens` is
/// true, the migration is opened first and then committed.
fn scenario(steps: &[PlanStep], crash: Option<usize>, opens: bool) -> Scenario {
    let mut plan = plan(steps);
    if opens {
        plan["commit"] = json!(false);
    }
    let crash = crash.filter(|at| *at < steps.len());
    let settings = crash.map(|at| object(json!({ "crash_at_step": at + 1 }))).unwrap_or_default();
    let committed = || commit("alice", "grant", "${plan.data.migration_id?}".to_owned()).labelled("commit");
    let restart = crash.map(|_| {
        [platform::Kill::METHOD, platform::Start::METHOD].map(|method| operator(method, Value::Null))
    });
    let scenario = Scenario { durable: crash.is_some(), settings, ..titled("A generated plan") }
        .peers(["alice"])
        .step(declare("skill"))
        .step(federate("alice"))
        .step(grant("alice", "skill", &["read", "migrate"], "grant"))
        .steps((0..OLD).map(|old| put("skill", &format!("old_{old}"), &format!("Old {old}"))))
        // The setting counts the steps of any plan.
        .steps(crash.is_none().then(|| migrate("alice", "grant", control(steps.len())).labelled("control")))
        .step(snapshot("before"))
        .step(migrate("alice", "grant", plan).labelled("plan"))
        .steps(opens.then(committed))
        .steps(restart.into_iter().flatten())
        .step(snapshot("after"));
    CHECKS.iter().fold(scenario, |scenario, (item, id, requirement)| {
        let mut with = json!({ "plan": "plan", "commit": "commit", "before": "before", "after": "after" });
        if *id == "migration-is-atomic" {
            with["control"] = json!("control");
        }
        let proposed = check((Commitment(7), *item, Conduct), id, requirement, with);
        scenario.check(CheckSpec { basis: Basis::Observed, ..proposed })
    })
}

/// Returns the scenario without its crash. A crash is tried by scenarios of its own, too.
fn without_crash(scenario: &Scenario) -> Option<Scenario> {
    let is_of_crash = |step: &Spanned<Step>| match step.get_ref() {
        Step::Operator(step) => [platform::Kill::METHOD, platform::Start::METHOD]
            .iter()
            .any(|of_crash| of_crash.name() == step.method),
        _ => false,
    };
    let steps = scenario.steps.iter().filter(|step| !is_of_crash(step)).cloned().collect();
    scenario.durable.then(|| Scenario { durable: false, settings: Map::new(), steps, ..scenario.clone() })
}

/// Returns a valid plan of as many records, which a target that applies such plans at all applies.
fn control(count: usize) -> Value {
    let steps = (0..count).map(|place| {
        let record = id(&format!("control_{place}"));
        json!({
            "step_order": place, "resource_kind": "skill", "resource_id": &record, "action": "create",
            "conflict_policy": "fail", "payload": { "id": &record, "name": format!("Control {place}") },
        })
    });
    json!({
        "operation": "migrate", "root_resource_kind": "skill", "root_resource_id": id("control_0"),
        "plan_summary": {}, "steps": steps.collect::<Vec<_>>(),
    })
}

fn snapshot(label: &str) -> Step {
    operator(resource::List::METHOD, json!({ "kind": "skill" })).labelled(label)
}

fn plan(steps: &[PlanStep]) -> Value {
    let created: BTreeSet<usize> =
        (0..steps.len()).filter(|place| matches!(steps[*place].action, Action::Create)).collect();
    let steps: Vec<Value> = (0..).zip(steps).map(|(place, step)| step.in_plan(place, &created)).collect();
    json!({
        "operation": "migrate", "root_resource_kind": "skill", "root_resource_id": id("new_0"),
        "plan_summary": {}, "steps": steps,
    })
}

impl PlanStep {
    /// Returns the step as the plan has it. A reference is left out unless a step before this one creates its record:
    /// a table with foreign keys takes no other order.
    fn in_plan(&self, place: usize, created: &BTreeSet<usize>) -> Value {
        let (name, action, policy) = match self.action {
            Action::Create => (format!("new_{place}"), "create", "fail"),
            Action::Meet { old, policy } => (format!("old_{old}"), "create", policy),
            Action::Link { old } => (format!("old_{old}"), "link_local", "fail"),
            Action::Skip => (format!("new_{place}"), "skip", "fail"),
            Action::Conflict => (format!("new_{place}"), "conflict", "fail"),
        };
        let mut payload = json!({ "id": id(&name), "name": format!("Step {place}") });
        if let Some(other) = self.refers_to.filter(|other| *other < place && created.contains(other)) {
            let other = id(&format!("new_{other}"));
            payload["deep"] = json!({ "list": [{ "note_id": &other }] });
            payload["parent_id"] = json!(other);
        }
        json!({
            "step_order": place, "resource_kind": "skill", "resource_id": id(&name), "action": action,
            "conflict_policy": policy, "payload": payload,
        })
    }
}

/// The checks: clause of commitment 7, check, and requirement.
const CHECKS: [(u8, &str, &str); 4] = [
    (
        1,
        "migration-is-atomic",
        "the target applies nothing of a plan that fails, and nothing or all of a plan that a crash interrupts",
    ),
    (2, "migration-claims-match-records", "the target's claims about a plan can be read back"),
    (3, "conflicts-are-reported", "the target reports each conflict in conflict_log, and no other"),
    (
        4,
        "ids-are-preserved",
        "the target stores every record under the id and with the references that were sent",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_without_its_crash_is_played_on_any_platform() {
        let crashed = scenario(&creating(), Some(2), false);
        let reduced = without_crash(&crashed).expect("a history without a crash");
        let methods = |scenario: &Scenario| -> BTreeSet<String> {
            let steps = scenario.steps.iter().filter_map(|step| match step.get_ref() {
                Step::Operator(step) => Some(step.method.clone()),
                _ => None,
            });
            steps.collect()
        };
        assert!(methods(&crashed).contains("platform.kill") && !methods(&reduced).contains("platform.kill"));
        assert!(reduced.settings.is_empty() && !reduced.durable);
        assert_eq!(reduced.checks, crashed.checks);
        assert_eq!(without_crash(&scenario(&creating(), None, false)), None);
    }
}
