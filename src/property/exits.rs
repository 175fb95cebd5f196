//! Commitment 11: any history, then a revocation by either side: two properties, for the two aspects.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::Property;
use super::build::{
    advance, check, declare, federate, fetch, grant, heartbeat, id, migrate, operator, plan, revoke, shows,
    sync, titled,
};
use crate::contract::Aspect;
use crate::contract::Section::{Acknowledgement, Commitment};
use crate::operator::{OperatorMethod, audit, peer, resource};
use crate::scenario::{Scenario, Step};

pub(super) const EXITS: Property = Property {
    name: "exits",
    commitment: 11,
    about: "after the target ends a peering, data, audit and acknowledgement are unchanged, and access is refused",
    edge_cases: Vec::new,
    scenarios: || scenarios(Aspect::Conduct),
    reduced: |_| None,
};

pub(super) const LEAVES: Property = Property {
    name: "leaves",
    commitment: 11,
    about: "after a peer ends a peering, data, audit and acknowledgement are unchanged, and access is refused",
    edge_cases: Vec::new,
    scenarios: || scenarios(Aspect::Detection),
    reduced: |_| None,
};

#[derive(Clone, Copy, Debug)]
enum Action {
    Migrate,
    Sync,
    Read,
    Wait,
}

fn scenarios(aspect: Aspect) -> BoxedStrategy<Scenario> {
    let actions = proptest::collection::vec(
        select(vec![Action::Migrate, Action::Sync, Action::Read, Action::Wait]),
        0..10,
    );
    (actions, 360..200_000_i64).prop_map(move |(actions, later)| scenario(aspect, &actions, later)).boxed()
}

fn scenario(aspect: Aspect, actions: &[Action], later: i64) -> Scenario {
    let scenario = Scenario { intrusive: true, ..titled("A generated history, and its end") }
        .peers(["alice", "bob"])
        .step(declare("skill"))
        .step(federate("alice").labelled("accepted"))
        .step(federate("bob"))
        .step(grant("alice", "skill", &["read", "migrate"], "grant"))
        .step(migration("first").labelled("valid"))
        .steps(actions.iter().enumerate().flat_map(|(place, action)| action.steps(place)))
        .steps(snapshots("before"))
        .step(match aspect {
            Aspect::Conduct => {
                operator(peer::Revoke::METHOD, json!({ "peer_id": "${alice.id}", "reason": "we leave" }))
            }
            Aspect::Detection => revoke("alice"),
        })
        .step(
            operator(peer::Show::METHOD, of_alice()).until_shows(json!({ "peer": { "status": "revoked" } })),
        )
        .step(shows(json!({ "peer": { "status": "revoked" } })))
        .step(advance(later))
        .step(heartbeat("bob").labelled("probe"))
        .steps([read(), migration("after"), heartbeat("alice")].map(|step| step.labelled("refused")))
        .steps(snapshots("after"));
    with_checks(scenario, aspect)
}

impl Action {
    fn steps(self, place: usize) -> Vec<Step> {
        match self {
            Self::Migrate => vec![migration(&format!("m{place}")).labelled("valid")],
            Self::Sync => vec![sync("alice", &format!("s{place}")).labelled("valid")],
            Self::Read => vec![read().labelled("valid")],
            Self::Wait => vec![advance(120), heartbeat("alice"), heartbeat("bob")],
        }
    }
}

fn migration(name: &str) -> Step {
    migrate("alice", "grant", plan("skill", name))
}

fn read() -> Step {
    fetch("alice", "skill", id("first"), "grant")
}

fn of_alice() -> Value {
    json!({ "peer_id": "${alice.id}" })
}

fn snapshots(when: &str) -> [Step; 3] {
    [
        (resource::List::METHOD, json!({ "kind": "skill" }), "records"),
        (audit::List::METHOD, of_alice(), "audit"),
        (peer::Show::METHOD, of_alice(), "peer"),
    ]
    .map(|(method, with, label)| operator(method, with).labelled(format!("{label}-{when}")))
}

fn with_checks(scenario: Scenario, aspect: Aspect) -> Scenario {
    scenario
        .check(check(
            (Commitment(11), 2, aspect),
            "listed-entries-remain",
            "what was there before a revocation is there after it",
            json!({ "before": "records-before", "after": "records-after" }),
        ))
        .check(check(
            (Commitment(11), 3, Aspect::Conduct),
            "listed-entries-remain",
            "what was logged before a revocation is in the audit after it",
            json!({ "before": "audit-before", "after": "audit-after" }),
        ))
        .check(check(
            (Acknowledgement, 2, Aspect::Conduct),
            "acknowledgement-kept",
            "the contract version that was acknowledged outlives the peering",
            json!({ "call": "accepted", "before": "peer-before", "after": "peer-after" }),
        ))
        .check(check(
            (Commitment(11), 5, aspect),
            "refused",
            "nothing is served to a peer after the peering",
            json!({ "call": "refused", "control": "valid", "probe": "probe" }),
        ))
}
