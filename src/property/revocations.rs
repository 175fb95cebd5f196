//! Commitment 4: a revocation at any instant, with any migrations in flight.

use proptest::prelude::*;

use super::Property;
use super::file::{File, migrate};

pub(super) const PROPERTY: Property = Property {
    name: "revocations",
    commitment: 4,
    about: "whenever a peer is revoked, it is told first, and what was in flight has its five minutes",
    corners: Vec::new,
    scenarios,
};

/// Migrations that are in flight for each half.
const OPEN: usize = 3;

fn scenarios() -> BoxedStrategy<String> {
    // When it is revoked, how much of what is in flight is committed, and how long after that.
    (0..86_400_i64, 1..=OPEN, 0..299_i64, 1..100_000_i64)
        .prop_map(|(after, open, in_time, late)| file(after, open, in_time, late))
        .boxed()
}

fn file(after: i64, committed: usize, in_time: i64, late: i64) -> String {
    let names = |half: &'static str| (0..OPEN).map(move |n| format!("{half}-{n}"));
    let opened = |half: &'static str| {
        names(half).map(|name| {
            migrate("alice", "grant", &format!("open-{name}"), "skill", &name, "commit = false, ")
        })
    };
    let commits = |half: &'static str| {
        names(half).take(committed).map(move |name| {
            format!(
                "commit = {{ peer = \"alice\", grant = \"grant\", migration = \"${{open-{name}.data.migration_id}}\", as = \"{half}\" }}"
            )
        })
    };
    let twins: Vec<String> =
        names("early").chain(names("late")).map(|name| format!("\"open-{name}\"")).collect();
    File::new("A generated revocation", "")
        .peer("alice", "")
        .declare()
        .step("federate = { peer = \"alice\" }")
        .step("grant = { peer = \"alice\", kind = \"skill\", scopes = [\"read\", \"migrate\"], as = \"grant\" }")
        .step(format!("advance = {{ seconds = {after} }}"))
        .step("heartbeat = { peer = \"alice\" }")
        .steps(opened("early"))
        .steps(opened("late"))
        .step(format!("advance = {{ seconds = {} }}", 1 + after % 200))
        .step("heartbeat = { peer = \"alice\" }")
        .step("operator = { verb = \"peer.revoke\", with = { peer_id = \"${alice.id}\", reason = \"we leave\" }, as = \"revoked\" }")
        .step(format!("advance = {{ seconds = {in_time} }}"))
        .steps(commits("early"))
        .step(format!("advance = {{ seconds = {} }}", 300 - in_time + late))
        .steps(commits("late"))
        .check(
            ("4.3", "conduct"),
            "grace-is-given",
            "what was in flight may be finished for five minutes, and no longer",
            &format!("twin = [{}], revoke = \"revoked\", call = \"early\", late = \"late\"", twins.join(", ")),
        )
        .text()
}
