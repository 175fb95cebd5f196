//! Commitment 8: any pair of residencies, and any order of moves.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, migrate};
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "residencies",
    commitment: 8,
    about: "the target records for each migration whether it crossed residencies, wherever the two sides keep data",
    edge_cases,
    scenarios,
};

const PLACES: [&str; 5] = ["eu", "EU", "ch-east", "br-south", "us"];

/// The initial settings of the target. Its jurisdiction stays the same.
const SETTINGS: &str = "[settings]\nresidency = \"eu\"\njurisdiction = \"DE\"";

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

fn scenarios() -> BoxedStrategy<String> {
    let place = || select(PLACES.to_vec());
    let moves = prop_oneof![place().prop_map(Action::Target), place().prop_map(Action::Peer)];
    let action = prop_oneof![2 => moves, 1 => Just(Action::Migrate), 1 => Just(Action::Send)];
    (place(), proptest::collection::vec(action, 0..6))
        .prop_map(|(from, actions)| file(from, &actions))
        .boxed()
}

/// Returns the edge cases: the target moves to the place of the peer, and sends a record.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
    let actions = [Action::Target("br-south"), Action::Send];
    vec![whole(actions).prop_map(|actions| file("br-south", &actions)).boxed()]
}

fn file(from: &str, actions: &[Action]) -> String {
    let mut file = File::new("Generated moves between residencies", &format!("lasting = true\n{SETTINGS}"))
        .peer("alice", &format!("profile = {{ data_residency = \"{from}\" }}"))
        .declare()
        .step("federate = { peer = \"alice\" }")
        .step("grant = { peer = \"alice\", kind = \"skill\", scopes = [\"read\", \"migrate\"], as = \"grant\" }")
        .step("hold = { peer = \"alice\", kind = \"skill\", scopes = [\"read\", \"migrate\"] }");
    let (mut place, mut target) = (from, "eu");
    // Every case ends with a migration.
    for (number, action) in actions.iter().chain([&Action::Migrate]).enumerate() {
        file = match action {
            Action::Target(to) => {
                target = to;
                file.step(format!("operator = {{ method = \"residency.set\", with = {{ residency = \"{to}\" }} }}"))
            }
            Action::Peer(to) => {
                let notice = format!(
                    "notify = {{ peer = \"alice\", kind = \"platform.residency.changed\", payload = {{ from = \"{place}\", to = \"{to}\", \
                     effective_at = \"${{now}}\" }} }}"
                );
                place = to;
                file.step(notice)
            }
            Action::Migrate => file
                .steps(report_locations(place, target))
                .step(migrate("alice", "grant", &format!("migrated-{number}"), "skill", &format!("m{number}"), ""))
                .step(format!(
                    "show_migration = {{ peer = \"alice\", migration = \"${{migrated-{number}.data.migration_id}}\", grant = \"grant\", as = \"shown\" }}"
                )),
            Action::Send => file
                .steps(report_locations(place, target))
                .step(format!("put = {{ kind = \"skill\", id = \"${{id:s{number}}}\", record = {{ name = \"s\" }} }}"))
                .step(format!(
                    "operator = {{ method = \"migration.send\", with = {{ peer_id = \"${{alice.id}}\", operation = \"duplicate\", \
                     root_resource_kind = \"skill\", root_resource_id = \"${{id:s{number}}}\" }}, as = \"sent-{number}\" }}"
                ))
                .step(format!(
                    "operator = {{ method = \"migration.show\", with = {{ migration_id = \"${{sent-{number}.migration_id}}\" }}, as = \"shown\" }}"
                )),
        };
    }
    file.check(
        ("8.3", "conduct"),
        "crossings-match-residencies",
        "the target records a crossing where the residencies differ, and records none where they are the same",
        "peer = \"alice\", snapshot = \"shown\"",
    )
    .text()
}

/// Returns steps in which each side reports its place. The peer comes last, because it answers a heartbeat
/// with its initial place.
fn report_locations(place: &str, target: &str) -> [String; 2] {
    [
        "operator = { method = \"heartbeat.send\", with = { peer_id = \"${alice.id}\" }, may_fail = true }"
            .to_owned(),
        format!(
            "heartbeat = {{ peer = \"alice\", with = {{ data_residency = \"{place}\", metadata = {{ jurisdiction = \"{}\" }} }}, as = \"beat\" }}",
            jurisdiction(place, target)
        ),
    ]
}

/// Returns the jurisdiction of the peer. It differs from the target's if the residencies differ, so that a
/// platform that uses the jurisdiction comes to the same result.
fn jurisdiction(place: &str, target: &str) -> &'static str {
    if place.eq_ignore_ascii_case(target) { "DE" } else { "BR" }
}
