//! Commitment 8: any pair of residencies, and any order of moves.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::Property;
use super::build::{
    check, declare, federate, grant, heartbeat, hold, id, migrate, notify, object, operator, peer, plan, put,
    show_migration, titled,
};
use super::whole::whole;
use crate::contract::Aspect::Conduct;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, migration, peer, release};
use crate::scenario::{PeerSpec, Scenario, Step};

pub(super) const PROPERTY: Property = Property {
    name: "residencies",
    commitment: 8,
    about: "the target records for each migration whether it crossed residencies, wherever the two sides keep data",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

const PLACES: [&str; 5] = ["eu", "EU", "ch-east", "br-south", "us"];

#[derive(Clone, Debug)]
enum Action {
    /// The target's operator moves its data.
    Target(&'static str),
    /// The peer announces a move, and reports the new place from then on.
    Peer(&'static str),
    Migrate,
    /// The target migrates a record to the peer.
    Send,
}

fn scenarios() -> BoxedStrategy<Scenario> {
    let place = || select(PLACES.to_vec());
    let moves = prop_oneof![place().prop_map(Action::Target), place().prop_map(Action::Peer)];
    let action = prop_oneof![2 => moves, 1 => Just(Action::Migrate), 1 => Just(Action::Send)];
    (place(), proptest::collection::vec(action, 0..6))
        .prop_map(|(from, actions)| scenario(from, &actions))
        .boxed()
}

/// Returns the edge cases: the target moves to the place of the peer, and sends a record.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let actions = [Action::Target("br-south"), Action::Send];
    vec![whole(actions).prop_map(|actions| scenario("br-south", &actions)).boxed()]
}

fn scenario(from: &'static str, actions: &[Action]) -> Scenario {
    // The jurisdiction of the target stays the same.
    let settings = object(json!({ "residency": "eu", "jurisdiction": "DE" }));
    let profile = object(json!({ "data_residency": from }));
    let mut scenario = Scenario { lasting: true, settings, ..titled("Generated moves between residencies") }
        .peer(PeerSpec { profile, ..peer("alice") })
        .step(declare("skill"))
        .step(federate("alice"))
        .step(grant("alice", "skill", &["read", "migrate"], "grant"))
        .step(hold("alice", "skill", &["read", "migrate"]));
    let (mut place, mut target) = (from, "eu");
    // Every case ends with a migration.
    for (number, action) in actions.iter().chain([&Action::Migrate]).enumerate() {
        scenario = match action {
            Action::Target(to) => {
                target = to;
                scenario.step(operator(release::SetResidency::METHOD, json!({ "residency": to })))
            }
            Action::Peer(to) => {
                let payload = json!({ "from": place, "to": to, "effective_at": "${now}" });
                place = to;
                scenario.step(notify("alice", "platform.residency.changed", payload))
            }
            Action::Migrate => scenario.steps(report_locations(place, target)).steps(migrated(number)),
            Action::Send => scenario.steps(report_locations(place, target)).steps(sent(number)),
        };
    }
    scenario.check(check(
        (Commitment(8), 3, Conduct),
        "crossings-match-residencies",
        "the target records a crossing where the residencies differ, and records none where they are the same",
        json!({ "peer": "alice", "snapshot": "shown" }),
    ))
}

/// Returns steps in which the peer sends a migration, and reads its state.
fn migrated(number: usize) -> [Step; 2] {
    let label = format!("migrated-{number}");
    let shown = show_migration("alice", "grant", format!("${{{label}.data.migration_id}}")).labelled("shown");
    [migrate("alice", "grant", plan("skill", &format!("m{number}"))).labelled(label), shown]
}

/// Returns steps in which the target sends a migration, and its operator reads the state of it.
fn sent(number: usize) -> [Step; 3] {
    let (name, label) = (format!("s{number}"), format!("sent-{number}"));
    let with = json!({
        "peer_id": "${alice.id}", "operation": "duplicate", "root_resource_kind": "skill",
        "root_resource_id": id(&name),
    });
    let shown = json!({ "migration_id": format!("${{{label}.migration_id}}") });
    [
        put("skill", &name, "s"),
        operator(migration::SendMigration::METHOD, with).labelled(label),
        operator(migration::Show::METHOD, shown).labelled("shown"),
    ]
}

/// Returns steps in which each side reports its place. The peer comes last, because it answers a heartbeat
/// with its initial place.
fn report_locations(place: &str, target: &str) -> [Step; 2] {
    let metadata = json!({ "jurisdiction": jurisdiction(place, target) });
    let with = json!({ "data_residency": place, "metadata": metadata });
    [
        operator(peer::SendHeartbeat::METHOD, json!({ "peer_id": "${alice.id}" })).may_fail(),
        heartbeat("alice").with(with).labelled("beat"),
    ]
}

/// Returns the jurisdiction of the peer. It differs from the target's if the residencies differ, so that a
/// platform that uses the jurisdiction comes to the same result.
fn jurisdiction(place: &str, target: &str) -> &'static str {
    if place.eq_ignore_ascii_case(target) { "DE" } else { "BR" }
}
