//! Commitment 3: any declaration.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::Property;
use super::file::File;
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "declarations",
    commitment: 3,
    about: "the target serves what it declares, in the declared schema version, and no record outside a filter",
    edge_cases,
    scenarios,
};

const KINDS: [&str; 6] = ["agent", "skill", "plan", "tool_chain", "data_set", "x"];

/// The declaration that every case contains, so that each case exercises every check.
const DEFAULT: (&str, (&str, &str, bool)) = ("note", ("1", "bidirectional", true));

/// The directions in which the declaring side serves records.
const OUTWARD: [&str; 2] = ["bidirectional", "push_local_to_remote"];

/// Returns the edge cases: all that can be declared, without a filter and with one.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
    let all = |filtered| {
        let rows = [("1", "bidirectional", filtered); KINDS.len()];
        whole(KINDS).prop_map(move |kinds| file(&kinds, &rows)).boxed()
    };
    vec![all(false), all(true)]
}

fn scenarios() -> BoxedStrategy<String> {
    let kinds = subsequence(KINDS.to_vec(), 1..=KINDS.len());
    let version = select(vec!["1", "7", "\"1.2\"", "\"3.0.1\""]);
    let direction =
        select(vec!["bidirectional", "push_local_to_remote", "pull_remote_to_local", "migration_only"]);
    let row = (version, direction, any::<bool>());
    (kinds, proptest::collection::vec(row, KINDS.len())).prop_map(|(kinds, rows)| file(&kinds, &rows)).boxed()
}

fn file(kinds: &[&str], rows: &[(&str, &str, bool)]) -> String {
    let declared = || kinds.iter().copied().zip(rows.iter().copied()).chain([DEFAULT]);
    let mut file = File::new("A generated declaration", "").peer("alice", "");
    for (kind, (version, direction, filtered)) in declared() {
        let filter = if filtered { ", filter = { team = \"blue\" }" } else { "" };
        file = file.step(format!(
            "operator = {{ method = \"capability.declare\", with = {{ resource_kind = \"{kind}\", schema_version = {version}, \
             direction = \"{direction}\", policy = \"manual\"{filter} }} }}"
        ));
    }
    file = file
        .step("federate = { peer = \"alice\" }")
        .step("heartbeat = { peer = \"alice\", as = \"declared\" }");
    for (kind, (_, _, filtered)) in declared().filter(|(_, (_, direction, _))| OUTWARD.contains(direction)) {
        file = file.step(grant(kind, "\"read\"", kind)).steps(inside(kind, filtered));
        if filtered {
            file = file.steps(outside(kind));
        }
    }
    let both_ways = declared().find(|(_, (_, direction, _))| *direction == "bidirectional");
    if let Some((kind, (version, _, _))) = both_ways {
        file = file.steps(migrations(kind, version));
    }
    file.step("try_kinds = { peer = \"alice\", of = \"declared\", as = \"tried\" }")
        .check(
            ("3.1", "conduct"),
            "declared-kinds-are-served",
            "the target serves each kind that it declares to the holder of a grant for it",
            "declaration = \"declared\", call = \"tried\"",
        )
        .check(
            ("3.2", "conduct"),
            "declared-schema-is-accepted",
            "the target accepts a migration that carries the schema version that it declares of the kind",
            "call = \"versioned\", control = \"plain\"",
        )
        .check(
            ("3.3", "conduct"),
            "filter-is-applied",
            "the target serves the records inside its declared filter, and none outside it",
            "peer = \"alice\", outside = \"outside\", inside = \"inside\"",
        )
        .text()
}

fn grant(kind: &str, scopes: &str, label: &str) -> String {
    format!("grant = {{ peer = \"alice\", kind = \"{kind}\", scopes = [{scopes}], as = \"{label}\" }}")
}

/// Returns steps that put a record that passes every filter, and fetch it.
fn inside(kind: &str, filtered: bool) -> [String; 2] {
    let id = format!("${{id:{kind}}}");
    let label = if filtered { "inside" } else { "unfiltered" };
    [put(kind, &id, "blue", label), fetch(kind, &id, ", as = \"tried\"")]
}

/// Returns steps that put a record that passes no filter, and fetch it.
fn outside(kind: &str) -> [String; 2] {
    let id = format!("${{id:{kind} outside}}");
    [put(kind, &id, "red", "outside"), fetch(kind, &id, "")]
}

fn put(kind: &str, id: &str, team: &str, label: &str) -> String {
    format!(
        "operator = {{ method = \"resource.put\", with = {{ kind = \"{kind}\", id = \"{id}\", record = {{ id = \"{id}\", \
         name = \"{kind}\", team = \"{team}\" }} }}, as = \"{label}\" }}"
    )
}

fn fetch(kind: &str, id: &str, label: &str) -> String {
    format!("fetch = {{ peer = \"alice\", kind = \"{kind}\", id = \"{id}\", grant = \"{kind}\"{label} }}")
}

/// Returns two migrations of similar new records, one of which carries the schema version.
fn migrations(kind: &str, version: &str) -> [String; 3] {
    let carried = format!("schema_version = {version}");
    [
        grant(kind, "\"read\", \"migrate\"", "migrations"),
        migration(kind, "new", "plain", ""),
        migration(kind, "versioned new", "versioned", &carried),
    ]
}

fn migration(kind: &str, id: &str, label: &str, carried: &str) -> String {
    format!(
        "migrate = {{ peer = \"alice\", grant = \"migrations\", as = \"{label}\", plan = {{ operation = \"migrate\", \
         root_resource_kind = \"{kind}\", root_resource_id = \"${{id:{id}}}\", plan_summary = {{ {carried} }}, steps = [{{ \
         step_order = 1, resource_kind = \"{kind}\", resource_id = \"${{id:{id}}}\", action = \"create\", \
         conflict_policy = \"fail\", payload = {{ id = \"${{id:{id}}}\", name = \"{id}\", team = \"blue\" }}, \
         metadata = {{ {carried} }} }}] }} }}"
    )
}
