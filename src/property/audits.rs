//! Commitment 5: any history of several peers.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::Property;
use super::build::{
    advance, check, declare, excerpt, federate, fetch, grant, heartbeat, id, migrate, operator, plan, put,
    sync, titled,
};
use super::whole::whole;
use crate::contract::Aspect::Conduct;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, audit};
use crate::scenario::format::{AnyCall, More};
use crate::scenario::{Scenario, Step};
use crate::wire::path::PREFIX;

pub(super) const PROPERTY: Property = Property {
    name: "audits",
    commitment: 5,
    about: "the target logs each action of several peers once, and an excerpt contains the requesting peer's entries alone",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

const PEERS: [&str; 3] = ["alice", "bob", "carol"];

#[derive(Clone, Copy, Debug)]
enum Action {
    Read,
    ReadUndeclared,
    Migrate,
    Sync,
    Beat,
    Wander,
}

fn scenarios() -> BoxedStrategy<Scenario> {
    let action = select(vec![
        Action::Read,
        Action::ReadUndeclared,
        Action::Migrate,
        Action::Sync,
        Action::Beat,
        Action::Wander,
    ]);
    proptest::collection::vec((0..PEERS.len(), action), 1..14).prop_map(|actions| scenario(&actions)).boxed()
}

/// Returns the edge cases: each peer makes a call, and alice one that is refused.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let actions = [(0, Action::Read), (0, Action::ReadUndeclared), (1, Action::Migrate), (2, Action::Read)];
    vec![whole(actions).prop_map(|actions| scenario(&actions)).boxed()]
}

fn scenario(actions: &[(usize, Action)]) -> Scenario {
    let mut scenario = titled("A generated history of three peers")
        .peers(PEERS)
        .step(declare("skill"))
        .step(put("skill", "a", "a"));
    for peer in PEERS {
        let label = format!("grant-{peer}");
        scenario = scenario.step(federate(peer)).step(grant(peer, "skill", &["read", "migrate"], &label));
    }
    scenario = scenario.step(snapshot().labelled("before"));
    // These calls certainly have an audit entry each, as has the last heartbeat.
    let logged =
        actions.iter().filter(|(peer, action)| PEERS[*peer] == "alice" && !matches!(action, Action::Wander));
    let more = More { than: "before".to_owned(), items: logged.count() + 1, words: vec![] };
    for (place, (peer, action)) in actions.iter().enumerate() {
        let peer = PEERS[*peer];
        scenario = scenario.step(action.step(peer, place).labelled(format!("done-by-{peer}")));
    }
    // Each case has an entry of alice and one of bob.
    let scenario = scenario
        .step(heartbeat("alice").labelled("done-by-alice"))
        .step(heartbeat("bob").labelled("done-by-bob"))
        .step(snapshot().until(more).labelled("after"))
        .step(excerpt("alice", None).labelled("excerpt"))
        .step(advance(259_200))
        .step(heartbeat("alice"))
        .step(excerpt("alice", Some("request_id=${excerpt.data.request_id?}")).labelled("excerpt"));
    with_checks(scenario)
}

fn snapshot() -> Step {
    operator(audit::List::METHOD, json!({ "peer_id": "${alice.id}" }))
}

impl Action {
    fn step(self, peer: &str, place: usize) -> Step {
        let grant = format!("grant-{peer}");
        match self {
            Self::Read => fetch(peer, "skill", id("a"), &grant),
            Self::ReadUndeclared => fetch(peer, "vault", id("a"), &grant),
            Self::Migrate => migrate(peer, &grant, plan("skill", &format!("m{place}"))),
            Self::Sync => sync(peer, &format!("s{place}")),
            Self::Beat => heartbeat(peer),
            Self::Wander => Step::Call(AnyCall {
                peer: peer.to_owned(),
                method: "GET".to_owned(),
                path: format!("{PREFIX}/nowhere"),
                ..AnyCall::default()
            }),
        }
    }
}

fn with_checks(scenario: Scenario) -> Scenario {
    scenario
        .check(check(
            (Commitment(5), 1, Conduct),
            "every-action-is-logged",
            "the target logs each call of a peer, also a refused one, in one entry",
            json!({ "call": "done-by-alice", "before": "before", "after": "after", "peer": "alice" }),
        ))
        .check(check(
            (Commitment(5), 4, Conduct),
            "excerpt-holds-own-entries-only",
            "the target's excerpt has the interactions of the requesting peer and of no other peer",
            json!({
                "call": "excerpt", "other_peers": ["bob", "carol"], "grants": ["grant-bob", "grant-carol"],
            }),
        ))
        .check(check(
            (Commitment(5), 4, Conduct),
            "excerpt-is-complete",
            "the target's excerpt has each logged interaction of the requesting peer, also a refused one",
            json!({
                "call": "done-by-alice", "before": "before", "after": "after", "peer": "alice",
                "excerpt": "excerpt",
            }),
        ))
}
