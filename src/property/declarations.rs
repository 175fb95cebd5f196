//! Commitment 3: any declaration.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::Property;
use super::file::File;
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "declarations",
    commitment: 3,
    about: "whatever is declared is served, and what a filter leaves out reaches no peer",
    corners,
    scenarios,
};

const KINDS: [&str; 6] = ["agent", "skill", "plan", "tool_chain", "data_set", "x"];

/// Directions in which records can be had of the one who declares them.
const OUTWARD: [&str; 2] = ["bidirectional", "push_local_to_remote"];

/// All that there is, without a filter and with one.
fn corners() -> Vec<BoxedStrategy<String>> {
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
    let mut file = File::new("A generated declaration", "").peer("alice", "");
    for (kind, (version, direction, filtered)) in kinds.iter().zip(rows) {
        let filter = if *filtered { ", filter = { team = \"blue\" }" } else { "" };
        file = file.step(format!(
            "operator = {{ verb = \"capability.declare\", with = {{ resource_kind = \"{kind}\", schema_version = {version}, \
             direction = \"{direction}\", policy = \"manual\"{filter} }} }}"
        ));
    }
    file =
        file.step("federate = { peer = \"alice\" }").step("heartbeat = { peer = \"alice\", as = \"told\" }");
    // One record of each kind that goes out, which passes every filter.
    let outward = kinds.iter().zip(rows).filter(|(_, (_, direction, _))| OUTWARD.contains(direction));
    for (kind, _) in outward {
        file = file
            .step(format!(
                "put = {{ kind = \"{kind}\", id = \"${{id:{kind}}}\", record = {{ name = \"{kind}\", team = \"blue\" }} }}"
            ))
            .step(format!("grant = {{ peer = \"alice\", kind = \"{kind}\", scopes = [\"read\"], as = \"{kind}\" }}"))
            .step(format!(
                "fetch = {{ peer = \"alice\", kind = \"{kind}\", id = \"${{id:{kind}}}\", grant = \"{kind}\", as = \"tried\" }}"
            ));
    }
    file.step("try_kinds = { peer = \"alice\", of = \"told\", as = \"tried\" }")
        .check(
            ("3.1", "conduct"),
            "declared-kinds-are-served",
            "every kind that is declared is served",
            "about = \"told\", call = \"tried\"",
        )
        .text()
}
