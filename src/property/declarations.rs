//! Commitment 3: any declaration.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::Property;
use super::build::{check, federate, fetch, grant, heartbeat, id, migrate, operator, titled};
use super::whole::whole;
use crate::contract::Aspect::Conduct;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, capability, resource};
use crate::scenario::format::{AwaitDeclaration, TryKinds};
use crate::scenario::{Scenario, Step};

pub(super) const PROPERTY: Property = Property {
    name: "declarations",
    commitment: 3,
    about: "the target serves what it declares, in the declared schema version, and no record outside a filter",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

const KINDS: [&str; 6] = ["agent", "skill", "plan", "tool_chain", "data_set", "x"];

/// The declaration of a kind: its schema version, its direction, and true if it has a filter.
type Row = (Value, &'static str, bool);

/// The directions in which the declaring side serves records.
const OUTWARD: [&str; 2] = ["bidirectional", "push_local_to_remote"];

/// Returns the edge cases: all that can be declared, without a filter and with one.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let all = |filtered| {
        let rows = vec![(json!(1), "bidirectional", filtered); KINDS.len()];
        whole(KINDS).prop_map(move |kinds| scenario(&kinds, &rows)).boxed()
    };
    vec![all(false), all(true)]
}

fn scenarios() -> BoxedStrategy<Scenario> {
    let kinds = subsequence(KINDS.to_vec(), 1..=KINDS.len());
    let version = select(vec![json!(1), json!(7), json!("1.2"), json!("3.0.1")]);
    let direction =
        select(vec!["bidirectional", "push_local_to_remote", "pull_remote_to_local", "migration_only"]);
    let row = (version, direction, any::<bool>());
    (kinds, proptest::collection::vec(row, KINDS.len()))
        .prop_map(|(kinds, rows)| scenario(&kinds, &rows))
        .boxed()
}

fn scenario(kinds: &[&str], rows: &[Row]) -> Scenario {
    // Every case contains this declaration, so that each case exercises every check.
    let always = (json!(1), "bidirectional", true);
    let declared = || kinds.iter().copied().zip(rows).chain([("note", &always)]);
    let mut scenario = titled("A generated declaration")
        .peers(["alice"])
        .steps(declared().map(|(kind, row)| declare(kind, row)))
        .step(federate("alice"))
        .step(heartbeat("alice").labelled("declared"))
        .step(Step::AwaitDeclaration(AwaitDeclaration { peer: "alice".to_owned(), ..Default::default() }));
    for (kind, (_, _, filtered)) in declared().filter(|(_, (_, direction, _))| OUTWARD.contains(direction)) {
        scenario = scenario.step(grant("alice", kind, &["read"], kind)).steps(inside(kind, *filtered));
        if *filtered {
            scenario = scenario.steps(outside(kind));
        }
    }
    let both_ways = declared().find(|(_, (_, direction, _))| *direction == "bidirectional");
    if let Some((kind, (version, _, filtered))) = both_ways {
        scenario = scenario.steps(migrations(kind, version, *filtered));
    }
    let (of, label) = ("declared".to_owned(), "tried".to_owned());
    with_checks(scenario.step(Step::TryKinds(TryKinds { peer: "alice".to_owned(), of, label })))
}

fn with_checks(scenario: Scenario) -> Scenario {
    scenario
        .check(check(
            (Commitment(3), 1, Conduct),
            "declared-kinds-are-served",
            "the target serves each kind that it declares to the holder of a grant for it",
            json!({ "declaration": "declared", "call": "tried" }),
        ))
        .check(check(
            (Commitment(3), 2, Conduct),
            "declared-schema-is-accepted",
            "the target accepts a migration that carries the schema version that it declares of the kind",
            json!({ "call": "versioned", "control": "plain" }),
        ))
        .check(check(
            (Commitment(3), 3, Conduct),
            "filter-is-applied",
            "the target serves the records inside its declared filter, and none outside it",
            json!({ "peer": "alice", "outside": "outside", "inside": "inside" }),
        ))
}

fn declare(kind: &str, (version, direction, filtered): &Row) -> Step {
    let mut with = json!({
        "resource_kind": kind, "schema_version": version, "direction": direction, "policy": "manual",
    });
    if *filtered {
        with["filter"] = json!({ "team": "blue" });
    }
    operator(capability::Declare::METHOD, with)
}

/// Returns steps that put a record that passes every filter, and fetch it.
fn inside(kind: &str, filtered: bool) -> [Step; 2] {
    let label = if filtered { "inside" } else { "unfiltered" };
    let fetched = fetch("alice", kind, id(kind), kind).labelled("tried");
    [put(kind, kind, filtered.then_some("blue")).labelled(label), fetched]
}

/// Returns steps that put a record that passes no filter, and fetch it.
fn outside(kind: &str) -> [Step; 2] {
    let name = format!("{kind} outside");
    [put(kind, &name, Some("red")).labelled("outside"), fetch("alice", kind, id(&name), kind)]
}

fn put(kind: &str, name: &str, team: Option<&str>) -> Step {
    operator(resource::Put::METHOD, json!({ "kind": kind, "id": id(name), "record": record(name, team) }))
}

/// Returns a record. Only a filter needs a team: a table with fixed columns may have none.
fn record(name: &str, team: Option<&str>) -> Value {
    let mut record = json!({ "id": id(name), "name": name });
    if let Some(team) = team {
        record["team"] = json!(team);
    }
    record
}

/// Returns two migrations of similar new records, one of which carries the schema version.
fn migrations(kind: &str, version: &Value, filtered: bool) -> [Step; 3] {
    let team = filtered.then_some("blue");
    let migration = |name, carried| migrate("alice", "migrations", plan(kind, name, team, &carried));
    [
        grant("alice", kind, &["read", "migrate"], "migrations"),
        migration("new", json!({})).labelled("plain"),
        migration("versioned new", json!({ "schema_version": version })).labelled("versioned"),
    ]
}

fn plan(kind: &str, name: &str, team: Option<&str>, carried: &Value) -> Value {
    json!({
        "operation": "migrate", "root_resource_kind": kind, "root_resource_id": id(name),
        "plan_summary": carried,
        "steps": [{
            "step_order": 1, "resource_kind": kind, "resource_id": id(name), "action": "create",
            "conflict_policy": "fail", "payload": record(name, team),
            "metadata": carried,
        }],
    })
}
