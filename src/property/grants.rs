//! Commitment 2: any grant, any request, at any instant.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, migrate};
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "grants",
    commitment: 2,
    about: "whatever the grant and the request, what was granted is served, and nothing else",
    corners,
    scenarios,
};

const DAY: i64 = 86_400;
/// Days that the grants of these histories live.
const DAYS: i64 = 7;

#[derive(Clone, Debug)]
enum Act {
    /// So many seconds pass.
    Wait(i64),
    /// To so many seconds before the grant's end, or after it.
    ToTheEnd(i64),
    Read {
        by: &'static str,
        kind: &'static str,
        id: &'static str,
    },
    Migrate {
        by: &'static str,
        kind: &'static str,
        id: &'static str,
    },
    Revoke,
}

fn scenarios() -> BoxedStrategy<String> {
    let scopes = select(vec!["\"read\"", "\"migrate\"", "\"read\", \"migrate\"", "\"write\""]);
    let bound = proptest::option::of(Just("a"));
    (scopes, bound, proptest::collection::vec(act(), 1..10))
        .prop_map(|(scopes, bound, acts)| file(scopes, bound, &acts))
        .boxed()
}

/// What is allowed at once, two seconds before the end, and a minute after it.
fn corners() -> Vec<BoxedStrategy<String>> {
    let both = || {
        [
            Act::Read { by: "alice", kind: "skill", id: "a" },
            Act::Migrate { by: "alice", kind: "skill", id: "b" },
        ]
    };
    let acts =
        both().into_iter().chain([Act::ToTheEnd(2)]).chain(both()).chain([Act::ToTheEnd(-60)]).chain(both());
    vec![whole(acts).prop_map(|acts| file("\"read\", \"migrate\"", None, &acts)).boxed()]
}

fn act() -> impl Strategy<Value = Act> {
    let by = || prop_oneof![4 => Just("alice"), 1 => Just("bob")];
    let kind = || prop_oneof![4 => Just("skill"), 1 => Just("agent")];
    let id = || select(vec!["a", "b"]);
    prop_oneof![
        2 => (1..3 * DAY).prop_map(Act::Wait),
        1 => select(vec![2, 60, -2, -60]).prop_map(Act::ToTheEnd),
        6 => (by(), kind(), id()).prop_map(|(by, kind, id)| Act::Read { by, kind, id }),
        4 => (by(), kind(), id()).prop_map(|(by, kind, id)| Act::Migrate { by, kind, id }),
        1 => Just(Act::Revoke),
    ]
}

fn file(scopes: &str, bound: Option<&str>, acts: &[Act]) -> String {
    let id = bound.map(|id| format!("id = \"${{id:{id}}}\", ")).unwrap_or_default();
    let mut file = File::new("A generated grant, and what is asked under it", "")
        .peer("alice", "")
        .peer("bob", "")
        .declare()
        .step(
            "operator = { verb = \"capability.declare\", with = { resource_kind = \"agent\", schema_version = 1, \
             direction = \"bidirectional\", policy = \"manual\" } }",
        )
        .step("federate = { peer = \"alice\" }")
        .step("federate = { peer = \"bob\" }")
        .step("put = { kind = \"skill\", id = \"${id:a}\", record = { name = \"a\" } }")
        .step(format!(
            "grant = {{ peer = \"alice\", kind = \"skill\", {id}scopes = [{scopes}], with = {{ ttl_days = {DAYS} }}, as = \"grant\" }}"
        ));
    let mut elapsed = 0;
    let mut wait = |file: File, seconds: i64| {
        elapsed += seconds;
        let file = file.step(format!("advance = {{ seconds = {seconds} }}"));
        // Whoever is stale may be served no more.
        ["alice", "bob"]
            .iter()
            .fold(file, |file, peer| file.step(format!("heartbeat = {{ peer = \"{peer}\" }}")))
    };
    let mut now = 0;
    for act in acts {
        let seconds = match act {
            Act::Wait(seconds) => *seconds,
            Act::ToTheEnd(before) => DAYS * DAY - before - now,
            _ => 0,
        };
        file = match act {
            Act::Wait(_) | Act::ToTheEnd(_) if seconds > 0 => {
                now += seconds;
                wait(file, seconds)
            }
            Act::Wait(_) | Act::ToTheEnd(_) => file,
            Act::Read { by, kind, id } => file.step(format!(
                "fetch = {{ peer = \"{by}\", kind = \"{kind}\", id = \"${{id:{id}}}\", grant = \"grant\", as = \"asked\" }}"
            )),
            Act::Migrate { by, kind, id } => file.step(migrate(by, "grant", "asked", kind, id, "")),
            Act::Revoke => file.step(
                "operator = { verb = \"grant.revoke\", with = { grant_id = \"${grant.grant_id}\" }, may_fail = true, as = \"revoked\" }",
            ),
        };
    }
    let with = "call = \"asked\", record = \"grant\"";
    // The first request is always there, so that every case says something.
    file.step(
        "fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:a}\", grant = \"grant\", as = \"asked\" }",
    )
    .check(("2.1", "conduct"), "granted-is-served", "what a grant allows is served to its last second", with)
    .check(("2.2", "conduct"), "ended-is-refused", "what has expired or was revoked is served no more", with)
    .text()
}
