//! Commitment 11: any history, then a revocation by either side: two properties, for the two faces.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, migrate, sync};

pub(super) const EXITS: Property = Property {
    name: "exits",
    commitment: 11,
    about: "whatever came before the target ends a peering, data, audit and acknowledgement stay as they were, and access is gone",
    corners: Vec::new,
    scenarios: || scenarios("conduct"),
};

pub(super) const LEAVES: Property = Property {
    name: "leaves",
    commitment: 11,
    about: "whatever came before a peer leaves, data, audit and acknowledgement stay as they were, and access is gone",
    corners: Vec::new,
    scenarios: || scenarios("detection"),
};

#[derive(Clone, Copy, Debug)]
enum Act {
    Migrate,
    Sync,
    Read,
    Wait,
}

fn scenarios(face: &'static str) -> BoxedStrategy<String> {
    let acts = proptest::collection::vec(select(vec![Act::Migrate, Act::Sync, Act::Read, Act::Wait]), 0..10);
    (acts, 360..200_000_i64).prop_map(move |(acts, later)| file(face, &acts, later)).boxed()
}

fn file(face: &str, acts: &[Act], later: i64) -> String {
    let mut file = File::new("A generated history, and its end", "intrusive = true")
        .peer("alice", "")
        .peer("bob", "")
        .declare()
        .step("federate = { peer = \"alice\", as = \"accepted\" }")
        .step("federate = { peer = \"bob\" }")
        .step("grant = { peer = \"alice\", kind = \"skill\", scopes = [\"read\", \"migrate\"], as = \"grant\" }")
        .step(migrate("alice", "grant", "lawful", "skill", "first", ""));
    for (place, act) in acts.iter().enumerate() {
        file = match act {
            Act::Migrate => file.step(migrate("alice", "grant", "lawful", "skill", &format!("m{place}"), "")),
            Act::Sync => file.step(sync("alice", "lawful", &format!("s{place}"))),
            Act::Read => file.step(
                "fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:first}\", grant = \"grant\", as = \"lawful\" }",
            ),
            Act::Wait => file
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
        .map(|(verb, with, label)| {
            format!("operator = {{ verb = \"{verb}\", with = {{ {with} }}, as = \"{label}-{when}\" }}")
        })
    };
    let revoke = if face == "conduct" {
        "operator = { verb = \"peer.revoke\", with = { peer_id = \"${alice.id}\", reason = \"we leave\" } }"
    } else {
        "revoke = { peer = \"alice\" }"
    };
    let file = file
        .steps(looks("before"))
        .step(revoke)
        .step(
            "operator = { verb = \"peer.show\", with = { peer_id = \"${alice.id}\" }, until_shows = { peer = { status = \"revoked\" } } }",
        )
        .step(format!("advance = {{ seconds = {later} }}"))
        .step("heartbeat = { peer = \"bob\", as = \"probe\" }")
        .step("fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:first}\", grant = \"grant\", as = \"refused\" }")
        .step(migrate("alice", "grant", "refused", "skill", "after", ""))
        .step("heartbeat = { peer = \"alice\", as = \"refused\" }")
        .steps(looks("after"));
    with_checks(file, face).text()
}

fn with_checks(file: File, face: &str) -> File {
    file.check(
        ("11.2", face),
        "rows-remain",
        "what was there before a revocation is there after it",
        "before = \"records-before\", after = \"records-after\"",
    )
    .check(
        ("11.3", "conduct"),
        "rows-remain",
        "what was logged before a revocation is in the audit after it",
        "before = \"audit-before\", after = \"audit-after\"",
    )
    .check(
        ("A.2", "conduct"),
        "acknowledgement-kept",
        "the contract version that was acknowledged outlives the peering",
        "call = \"accepted\", before = \"peer-before\", shown = \"peer-after\"",
    )
    .check(
        ("11.5", face),
        "refused",
        "nothing is served to a peer after the peering",
        "call = \"refused\", twin = \"lawful\", probe = \"probe\"",
    )
}
