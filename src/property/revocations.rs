//! Commitment 4: a revocation at any time and in any state, with any migrations in flight.

use proptest::prelude::*;

use super::Property;
use super::file::{File, migrate};

pub(super) const PROPERTY: Property = Property {
    name: "revocations",
    commitment: 4,
    about: "the target sends the notice before it refuses calls, and gives migrations in flight five minutes of grace",
    edge_cases,
    scenarios,
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

fn scenarios() -> BoxedStrategy<String> {
    let state = prop_oneof![
        4 => Just(State::Active),
        1 => Just(State::Enrolled),
        1 => Just(State::Degraded),
        1 => Just(State::Suspended),
    ];
    let open = (0..=OPEN_MAX, 0..=OPEN_MAX);
    (state, 0..86_400_i64, open, 0..LAST_SECOND, 1..100_000_i64)
        .prop_map(|(state, after, open, in_time, late)| file(Case { state, after, open, in_time, late }))
        .boxed()
}

/// Returns the edge cases: a peer that may not call gets the same notice, and one that may call gets its
/// grace and no more.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
    let case = |state, open| Just(file(Case { state, after: 0, open, in_time: 0, late: 1 })).boxed();
    vec![case(State::Suspended, (0, 0)), case(State::Enrolled, (2, 1)), case(State::Degraded, (1, 1))]
}

fn file(case: Case) -> String {
    let Case { state, after, open: (early, late), .. } = case;
    let file = File::new("A generated revocation", "").peer("alice", "").declare();
    let file = match state {
        State::Enrolled => file.step("propose = { peer = \"alice\" }").step("accept = { peer = \"alice\" }"),
        _ => file.step("federate = { peer = \"alice\" }"),
    };
    let file = file
        .step("put = { kind = \"skill\", id = \"${id:any}\", record = { name = \"any\" } }")
        .step("grant = { peer = \"alice\", kind = \"skill\", scopes = [\"read\", \"migrate\"], as = \"grant\" }")
        .step(advance(after));
    let file = match state {
        State::Enrolled => file,
        State::Degraded => file.step(HEARTBEAT).step(advance(600)),
        State::Active | State::Suspended => file.step(HEARTBEAT),
    };
    let file = file.steps(opened("early", early)).steps(opened("late", late)).step(advance(1 + after % 200));
    let file = match state {
        State::Suspended => file.step(
            "operator = { method = \"peer.suspend\", with = { peer_id = \"${alice.id}\", reason = \"a review\" } }",
        ),
        _ => file,
    };
    let file = file
        // The fetch shows if the target admits the peer.
        .step("fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:any}\", grant = \"grant\" }")
        .step("operator = { method = \"peer.revoke\", with = { peer_id = \"${alice.id}\", reason = \"we leave\" }, as = \"revoked\" }")
        .step(CALL)
        .step("wait = { peer = \"alice\", notice = \"platform.peer.revoked\" }")
        .step("wait = { peer = \"alice\", status = \"revoked\" }");
    evaluated(committed(file, case).step(CALL)).text()
}

const HEARTBEAT: &str = "heartbeat = { peer = \"alice\" }";
const CALL: &str = "heartbeat = { peer = \"alice\", as = \"call\" }";

fn advance(seconds: i64) -> String {
    format!("advance = {{ seconds = {seconds} }}")
}

/// Returns a step that every case names and only some perform, so that every case plans the same checks.
fn done_if(is_done: bool, step: &str) -> String {
    format!("repeat = {{ times = {}, step = [{{ {step} }}] }}", u8::from(is_done))
}

fn opened(half: &'static str, count: usize) -> impl Iterator<Item = String> {
    (0..OPEN_MAX).map(move |place| {
        let name = format!("{half}-{place}");
        let open = migrate("alice", "grant", &format!("open-{name}"), "skill", &name, "commit = false, ");
        done_if(place < count, &open)
    })
}

/// Commits the migrations in flight: some within the grace, one at its last second, the rest after it. The
/// target need not accept the migrations of a peer that may not call.
fn committed(file: File, case: Case) -> File {
    let Case { state, open: (early, late), in_time, late: after_the_grace, .. } = case;
    let commit = |half: &str, place: usize, count: usize| {
        let commit = format!(
            "commit = {{ peer = \"alice\", grant = \"grant\", migration = \"${{open-{half}-{place}.data.migration_id?}}\", as = \"{half}\" }}"
        );
        done_if(place < count && state != State::Suspended, &commit)
    };
    file.step(advance(in_time))
        .steps((1..OPEN_MAX).map(|place| commit("early", place, early)))
        .step(advance(LAST_SECOND - in_time))
        .step(commit("early", 0, early))
        .step("operator = { method = \"resource.list\", with = { kind = \"skill\" }, may_fail = true, as = \"records\" }")
        .step(advance(300 - LAST_SECOND + after_the_grace))
        .steps((0..OPEN_MAX).map(|place| commit("late", place, late)))
}

fn evaluated(file: File) -> File {
    let labels =
        ["early", "late"].map(|half| (0..OPEN_MAX).map(move |place| format!("\"open-{half}-{place}\"")));
    let open: Vec<String> = labels.into_iter().flatten().collect();
    let reported = "peer = \"alice\", revoke = \"revoked\", call = \"call\"";
    file.check(
        ("4.1", "conduct"),
        "revoked-event-precedes-teardown",
        "the target delivers a platform.peer.revoked event before it tears down, whatever the state of the peer",
        reported,
    )
    .check(
        ("4.2", "conduct"),
        "revoked-status-precedes-teardown",
        "the target sends a heartbeat whose status is revoked before it tears down, whatever the state of the peer",
        reported,
    )
    .check(
        ("4.3", "conduct"),
        "open-migrations-have-grace",
        "the target accepts the commit of each migration in flight for five minutes, and no longer",
        &format!(
            "open = [{}], revoke = \"revoked\", within_grace = \"early\", after_grace = \"late\", records = \"records\"",
            open.join(", ")
        ),
    )
}
