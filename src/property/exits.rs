//! Commitment 11: any history, then a revocation by either side: two properties, for the two aspects.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, migrate, sync};

pub(super) const EXITS: Property = Property {
    name: "exits",
    commitment: 11,
    about: "after the target ends a peering, data, audit and acknowledgement are unchanged, and access is refused",
    edge_cases: Vec::new,
    scenarios: || scenarios("conduct"),
};

pub(super) const LEAVES: Property = Property {
    name: "leaves",
    commitment: 11,
    about: "after a peer ends a peering, data, audit and acknowledgement are unchanged, and access is refused",
    edge_cases: Vec::new,
    scenarios: || scenarios("detection"),
};

#[derive(Clone, Copy, Debug)]
enum Action {
    Migrate,
    Sync,
    Read,
    Wait,
}

fn scenarios(aspect: &'static str) -> BoxedStrategy<String> {
    let actions = proptest::collection::vec(
        select(vec![Action::Migrate, Action::Sync, Action::Read, Action::Wait]),
        0..10,
    );
    (actions, 360..200_000_i64).prop_map(move |(actions, later)| file(aspect, &actions, later)).boxed()
}

fn file(aspect: &str, actions: &[Action], later: i64) -> String {
    let mut file = File::new("A generated history, and its end", "intrusive = true")
        .peer("alice", "")
        .peer("bob", "")
        .declare()
        .step("federate = { peer = \"alice\", as = \"accepted\" }")
        .step("federate = { peer = \"bob\" }")
        .step("grant = { peer = \"alice\", kind = \"skill\", scopes = [\"read\", \"migrate\"], as = \"grant\" }")
        .step(migrate("alice", "grant", "valid", "skill", "first", ""));
    for (place, action) in actions.iter().enumerate() {
        file = match action {
            Action::Migrate => file.step(migrate("alice", "grant", "valid", "skill", &format!("m{place}"), "")),
            Action::Sync => file.step(sync("alice", "valid", &format!("s{place}"))),
            Action::Read => file.step(
                "fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:first}\", grant = \"grant\", as = \"valid\" }",
            ),
            Action::Wait => file
                .step("advance = { seconds = 120 }")
                .steps(["alice", "bob"].map(|peer| format!("heartbeat = {{ peer = \"{peer}\" }}"))),
        };
    }
    let looks = |when: &str| {
        let of_alice = "peer_id = \"${alice.id}\"";
        [
            ("resource.list", "kind = \"skill\"", "records"),
            ("audit.list", of_alice, "audit"),
            ("peer.show", of_alice, "peer"),
        ]
        .map(|(method, with, label)| {
            format!("operator = {{ method = \"{method}\", with = {{ {with} }}, as = \"{label}-{when}\" }}")
        })
    };
    let revoke = if aspect == "conduct" {
        "operator = { method = \"peer.revoke\", with = { peer_id = \"${alice.id}\", reason = \"we leave\" } }"
    } else {
        "revoke = { peer = \"alice\" }"
    };
    let file = file
        .steps(looks("before"))
        .step(revoke)
        .step(
            "operator = { method = \"peer.show\", with = { peer_id = \"${alice.id}\" }, until_shows = { peer = { status = \"revoked\" } } }",
        )
        .step(format!("advance = {{ seconds = {later} }}"))
        .step("heartbeat = { peer = \"bob\", as = \"probe\" }")
        .step("fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:first}\", grant = \"grant\", as = \"refused\" }")
        .step(migrate("alice", "grant", "refused", "skill", "after", ""))
        .step("heartbeat = { peer = \"alice\", as = \"refused\" }")
        .steps(looks("after"));
    with_checks(file, aspect).text()
}

fn with_checks(file: File, aspect: &str) -> File {
    file.check(
        ("11.2", aspect),
        "listed-entries-remain",
        "what was there before a revocation is there after it",
        "before = \"records-before\", after = \"records-after\"",
    )
    .check(
        ("11.3", "conduct"),
        "listed-entries-remain",
        "what was logged before a revocation is in the audit after it",
        "before = \"audit-before\", after = \"audit-after\"",
    )
    .check(
        ("A.2", "conduct"),
        "acknowledgement-kept",
        "the contract version that was acknowledged outlives the peering",
        "call = \"accepted\", before = \"peer-before\", after = \"peer-after\"",
    )
    .check(
        ("11.5", aspect),
        "refused",
        "nothing is served to a peer after the peering",
        "call = \"refused\", control = \"valid\", probe = \"probe\"",
    )
}
