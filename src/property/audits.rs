//! Commitment 5: any history of several peers.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, migrate, sync};
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "audits",
    commitment: 5,
    about: "the target logs each action of several peers once, and an excerpt contains the requesting peer's entries alone",
    edge_cases,
    scenarios,
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

fn scenarios() -> BoxedStrategy<String> {
    let action = select(vec![
        Action::Read,
        Action::ReadUndeclared,
        Action::Migrate,
        Action::Sync,
        Action::Beat,
        Action::Wander,
    ]);
    proptest::collection::vec((0..PEERS.len(), action), 1..14).prop_map(|actions| file(&actions)).boxed()
}

/// Returns the edge cases: each peer makes a call, and alice one that is refused.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
    let actions = [(0, Action::Read), (0, Action::ReadUndeclared), (1, Action::Migrate), (2, Action::Read)];
    vec![whole(actions).prop_map(|actions| file(&actions)).boxed()]
}

fn file(actions: &[(usize, Action)]) -> String {
    let mut file = PEERS
        .iter()
        .fold(File::new("A generated history of three peers", ""), |file, peer| file.peer(peer, ""));
    file = file.declare().step("put = { kind = \"skill\", id = \"${id:a}\", record = { name = \"a\" } }");
    for peer in PEERS {
        file = file
            .step(format!("federate = {{ peer = \"{peer}\" }}"))
            .step(format!("grant = {{ peer = \"{peer}\", kind = \"skill\", scopes = [\"read\", \"migrate\"], as = \"grant-{peer}\" }}"));
    }
    let snapshot = |until: &str, label: &str| {
        format!(
            "operator = {{ method = \"audit.list\", with = {{ peer_id = \"${{alice.id}}\" }}, {until}as = \"{label}\" }}"
        )
    };
    file = file.step(snapshot("", "before"));
    // These calls certainly have an audit entry each, as has the last heartbeat.
    let logged =
        actions.iter().filter(|(peer, action)| PEERS[*peer] == "alice" && !matches!(action, Action::Wander));
    let until = format!("until = {{ than = \"before\", items = {} }}, ", logged.count() + 1);
    for (place, (peer, action)) in actions.iter().enumerate() {
        let peer = PEERS[*peer];
        let label = format!("done-by-{peer}");
        let grant = format!("grant-{peer}");
        let fetch = |kind: &str| {
            format!(
                "fetch = {{ peer = \"{peer}\", kind = \"{kind}\", id = \"${{id:a}}\", grant = \"{grant}\", as = \"{label}\" }}"
            )
        };
        file = file.step(match action {
            Action::Read => fetch("skill"),
            Action::ReadUndeclared => fetch("vault"),
            Action::Migrate => migrate(peer, &grant, &label, "skill", &format!("m{place}"), ""),
            Action::Sync => sync(peer, &label, &format!("s{place}")),
            Action::Beat => format!("heartbeat = {{ peer = \"{peer}\", as = \"{label}\" }}"),
            Action::Wander => format!(
                "call = {{ peer = \"{peer}\", method = \"GET\", path = \"/api/v1/system/federation_api/nowhere\", as = \"{label}\" }}"
            ),
        });
    }
    // Each case has an entry of alice and one of bob.
    file.step("heartbeat = { peer = \"alice\", as = \"done-by-alice\" }")
        .step("heartbeat = { peer = \"bob\", as = \"done-by-bob\" }")
        .step(snapshot(&until, "after"))
        .step("excerpt = { peer = \"alice\", as = \"excerpt\" }")
        .step("advance = { seconds = 259200 }")
        .step("heartbeat = { peer = \"alice\" }")
        .step("excerpt = { peer = \"alice\", query = \"request_id=${excerpt.data.request_id?}\", as = \"excerpt\" }")
        .check(
            ("5.1", "conduct"),
            "every-action-is-logged",
            "the target logs each call of a peer, also a refused one, in one entry",
            "call = \"done-by-alice\", before = \"before\", after = \"after\", peer = \"alice\"",
        )
        .check(
            ("5.4", "conduct"),
            "excerpt-holds-own-entries-only",
            "the target's excerpt has the interactions of the requesting peer and of no other peer",
            "call = \"excerpt\", other_peers = [\"bob\", \"carol\"], grants = [\"grant-bob\", \"grant-carol\"]",
        )
        .check(
            ("5.4", "conduct"),
            "excerpt-is-complete",
            "the target's excerpt has each logged interaction of the requesting peer, also a refused one",
            "call = \"done-by-alice\", before = \"before\", after = \"after\", peer = \"alice\", excerpt = \"excerpt\"",
        )
        .text()
}
