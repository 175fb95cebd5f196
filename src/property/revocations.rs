//! Commitment 4: a revocation at any time and in any state, with any migrations in flight.

use proptest::prelude::*;
use serde_json::json;

use super::Property;
use super::build::{
    accept, advance, check, commit, declare, federate, fetch, grant, heartbeat, id, migrate, operator, plan,
    propose, put, titled,
};
use crate::contract::Aspect::Conduct;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, peer, resource};
use crate::scenario::format::{Repeat, Wait};
use crate::scenario::{Scenario, Step};

pub(super) const PROPERTY: Property = Property {
    name: "revocations",
    commitment: 4,
    about: "the target sends the notice before it refuses calls, and gives migrations in flight five minutes of grace",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

/// The maximum number of in-flight migrations in each half.
const OPEN_MAX: usize = 3;
/// The second at which the last migration of the first half is committed.
const LAST_SECOND: i64 = 299;

/// The state of the peer at the revocation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Active,
    Enrolled,
    Degraded,
    Suspended,
}

/// A revocation.
#[derive(Clone, Copy, Debug)]
struct Case {
    state: State,
    /// The time of the revocation.
    after: i64,
    /// The number of in-flight migrations that are committed within the grace, and after it.
    open: (usize, usize),
    /// The time at which all but the last of the first half are committed.
    in_time: i64,
    /// The time after the grace at which the second half is committed.
    late: i64,
}

fn scenarios() -> BoxedStrategy<Scenario> {
    let state = prop_oneof![
        4 => Just(State::Active),
        1 => Just(State::Enrolled),
        1 => Just(State::Degraded),
        1 => Just(State::Suspended),
    ];
    let open = (0..=OPEN_MAX, 0..=OPEN_MAX);
    (state, 0..86_400_i64, open, 0..LAST_SECOND, 1..100_000_i64)
        .prop_map(|(state, after, open, in_time, late)| scenario(Case { state, after, open, in_time, late }))
        .boxed()
}

/// Returns the edge cases: a peer that may not call gets the same notice, and one that may call gets its
/// grace and no more.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let case = |state, open| Just(scenario(Case { state, after: 0, open, in_time: 0, late: 1 })).boxed();
    vec![case(State::Suspended, (0, 0)), case(State::Enrolled, (2, 1)), case(State::Degraded, (1, 1))]
}

fn scenario(case: Case) -> Scenario {
    let Case { state, after, open: (early, late), .. } = case;
    let heartbeat = || heartbeat("alice");
    let of_alice = |reason| json!({ "peer_id": "${alice.id}", "reason": reason });
    let scenario = titled("A generated revocation")
        .peers(["alice"])
        .step(declare("skill"))
        .steps(match state {
            State::Enrolled => vec![propose("alice"), accept("alice")],
            State::Active | State::Degraded | State::Suspended => vec![federate("alice")],
        })
        .step(put("skill", "any", "any"))
        .step(grant("alice", "skill", &["read", "migrate"], "grant"))
        .step(advance(after))
        .steps(match state {
            State::Enrolled => vec![],
            State::Degraded => vec![heartbeat(), advance(600)],
            State::Active | State::Suspended => vec![heartbeat()],
        })
        .steps(opened("early", early))
        .steps(opened("late", late))
        .step(advance(1 + after % 200))
        .steps((state == State::Suspended).then(|| operator(peer::Suspend::METHOD, of_alice("a review"))))
        // The fetch shows if the target admits the peer.
        .step(fetch("alice", "skill", id("any"), "grant"))
        .step(operator(peer::Revoke::METHOD, of_alice("we leave")).labelled("revoked"))
        .step(heartbeat().labelled("call"))
        .step(wait(Wait { notice: Some("platform.peer.revoked".to_owned()), ..Wait::default() }))
        .step(wait(Wait { status: Some("revoked".to_owned()), ..Wait::default() }));
    with_checks(committed(scenario, case).step(heartbeat().labelled("call")))
}

fn wait(wait: Wait) -> Step {
    Step::Wait(Wait { peer: "alice".to_owned(), ..wait })
}

/// Returns a step that every case names and only some perform, so that every case plans the same checks.
fn done_if(is_done: bool, step: Step) -> Step {
    Step::Repeat(Repeat { times: u32::from(is_done), step: vec![step] })
}

fn opened(half: &'static str, count: usize) -> impl Iterator<Item = Step> {
    (0..OPEN_MAX).map(move |place| {
        let name = format!("{half}-{place}");
        let mut plan = plan("skill", &name);
        plan["commit"] = json!(false);
        done_if(place < count, migrate("alice", "grant", plan).labelled(format!("open-{name}")))
    })
}

/// Commits the migrations in flight: some within the grace, one at its last second, the rest after it. The
/// target need not accept the migrations of a peer that may not call.
fn committed(scenario: Scenario, case: Case) -> Scenario {
    let Case { state, open: (early, late), in_time, late: after_the_grace, .. } = case;
    let commit = |half: &str, place: usize, count: usize| {
        let migration = format!("${{open-{half}-{place}.data.migration_id?}}");
        let commit = commit("alice", "grant", migration).labelled(half);
        done_if(place < count && state != State::Suspended, commit)
    };
    scenario
        .step(advance(in_time))
        .steps((1..OPEN_MAX).map(|place| commit("early", place, early)))
        .step(advance(LAST_SECOND - in_time))
        .step(commit("early", 0, early))
        .step(operator(resource::List::METHOD, json!({ "kind": "skill" })).may_fail().labelled("records"))
        .step(advance(300 - LAST_SECOND + after_the_grace))
        .steps((0..OPEN_MAX).map(|place| commit("late", place, late)))
}

fn with_checks(scenario: Scenario) -> Scenario {
    let labels = ["early", "late"].map(|half| (0..OPEN_MAX).map(move |place| format!("open-{half}-{place}")));
    let open: Vec<String> = labels.into_iter().flatten().collect();
    let reported = json!({ "peer": "alice", "revoke": "revoked", "call": "call" });
    scenario
        .check(check(
            (Commitment(4), 1, Conduct),
            "revoked-event-precedes-teardown",
            "the target delivers a platform.peer.revoked event before it tears down, whatever the state of the peer",
            reported.clone(),
        ))
        .check(check(
            (Commitment(4), 2, Conduct),
            "revoked-status-precedes-teardown",
            "the target sends a heartbeat whose status is revoked before it tears down, whatever the state of the peer",
            reported,
        ))
        .check(check(
            (Commitment(4), 3, Conduct),
            "open-migrations-have-grace",
            "the target accepts the commit of each migration in flight for five minutes, and no longer",
            json!({
                "open": open, "revoke": "revoked", "within_grace": "early", "after_grace": "late",
                "records": "records",
            }),
        ))
}
