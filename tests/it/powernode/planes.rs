//! Platforms of each generation behind their REST surface (`tests/powernode-platform/rest.py`), over real sockets and
//! TLS.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use covenant::Stage;
use covenant::adapter::{Finding, check_operator};
use covenant::check::Verdict;
use covenant::clock::Clock;
use covenant::contract::{Basis, Section};
use covenant::operator::powernode::Powernode;
use covenant::operator::{Address, At, NamedRecord, OperatorClient, OperatorMethod, grant, peer};
use covenant::pki::Authority;
use covenant::report::Report;
use covenant::runner::{ExternalTarget, NoObserver, Plan, Selection, Target, assess, play};
use covenant::transcript::{Trace, WayBack, read};
use covenant::wire::generation::{CallerForm, G1, G3, Generation};
use serde_json::{Value, json};

use super::{PASSWORD, rest};

/// The breaches of the platform on the observed wire; see `tests/platforms/powernode_platform.rs`.
const TRULY_BROKEN: [&str; 8] = [
    "A.1 conduct",
    "4.3 conduct",
    "5.1 conduct",
    "5.2 conduct",
    "6.1 detection",
    "6.2 conduct",
    "6.4 detection",
    "10.1 detection",
];

/// A running platform. It ends with this value.
struct Platform {
    process: Child,
    generation: &'static Generation,
    url: url::Url,
    record: String,
}

impl Platform {
    /// Starts a platform of G1; `None` if Python is not there.
    fn start(arguments: &[&str]) -> Option<Self> {
        Self::of(&G1, arguments)
    }

    /// Starts a platform of a generation; `None` if Python is not there.
    fn of(generation: &'static Generation, arguments: &[&str]) -> Option<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powernode-platform/rest.py");
        let mut command = Command::new("python3");
        command
            .arg(file)
            .args(["--generation", generation.name])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut line).ok()?;
        let started: Value = serde_json::from_str(&line).ok()?;
        let url = started["url"].as_str()?.parse().ok()?;
        Some(Self { process, generation, url, record: started["record"].as_str()?.to_owned() })
    }

    fn plan(&self, selection: Selection) -> Plan {
        let caller = CallerForm::Forwarded(self.generation.forwarded);
        let address = Address { base_url: self.url.clone(), ca_bundle_pem: None, caller };
        let named = json!({"kind": "skill", "id": self.record, "record": {"name": "Carding"}});
        let records: Vec<NamedRecord> = vec![serde_json::from_value(named).expect("a record")];
        let operator = Powernode::new(rest(self.url.clone(), PASSWORD), records.clone());
        let targets = Arc::new(At::new(address, Arc::new(operator)));
        let target = Target::ExternalTarget(ExternalTarget {
            name: self.generation.name.to_owned(),
            arguments: vec![],
            targets,
        });
        let mut plan = Plan { target, selection, cases: 0, ..Plan::default() };
        // The platform has completed everything when it answers.
        plan.run_context.poll_timeout = Duration::from_millis(300);
        plan.run_context.records = records;
        plan
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It ends with its standard input, and removes the files of its authority.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Plays a plan. Returns its report, its traces and the text of its transcript.
async fn played(plan: &Plan) -> (Report, Vec<Trace>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let transcript = folder.path().join("transcript.jsonl");
    let (_running, stop) = tokio::sync::watch::channel(false);
    let run = plan.prepare(transcript.clone(), stop).expect("a run");
    play(run, Arc::new(NoObserver)).await.expect("it plays");
    let reading = read(&transcript).expect("a transcript");
    let text = std::fs::read_to_string(&transcript).expect("a text");
    (assess(&reading), reading.traces().collect(), text)
}

/// Returns the ids of every grant that the platform issued. On G1 they are the tokens.
async fn grants(platform: &Platform) -> Vec<String> {
    let operator = Powernode::new(rest(platform.url.clone(), PASSWORD), vec![]);
    let peers = operator.call(peer::List::METHOD, json!({})).await.expect("peers");
    let mut ids = Vec::new();
    for peer in peers["peers"].as_array().expect("a list") {
        let listed =
            operator.call(grant::List::METHOD, json!({"peer_id": peer["id"]})).await.expect("grants");
        ids.extend(
            listed["grants"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|row| row["id"].as_str().map(ToOwned::to_owned)),
        );
    }
    ids
}

fn verdicts(report: &Report, verdict: Verdict, basis: Basis) -> BTreeSet<String> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    let those = evaluations
        .filter(|evaluation| evaluation.result.verdict == verdict && evaluation.check.basis == basis);
    those.map(|evaluation| format!("{} {}", evaluation.check.clause, evaluation.check.aspect)).collect()
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn g1_is_evaluated_through_its_rest_surface_and_its_tokens_stay_secret() {
    let Some(platform) = Platform::start(&["--token-calls", "400"]) else {
        eprintln!("skipped: the program python3 is missing, or lacks a module of its standard library");
        return;
    };
    // The whole of it is played by `platforms`.
    let sections = [Section::Commitment(2), Section::Commitment(6), Section::Acknowledgement];
    let selection = Selection::new(&[], &sections).expect("sections");
    let (report, _, text) = played(&platform.plan(selection)).await;
    assert_eq!(report.void, None);
    let broken = verdicts(&report, Verdict::Broken, Basis::Observed);
    assert!(broken.is_subset(&BTreeSet::from(TRULY_BROKEN.map(str::to_owned))), "{broken:?}");
    assert!(broken.contains("A.1 conduct"), "{broken:?}");
    // The record of the user is read, under grants that are limited to what it is not asked from.
    let kept = verdicts(&report, Verdict::Kept, Basis::Observed);
    assert!(kept.contains("6.4 detection"), "{kept:?}");
    // A scenario that migrates takes no record of the user's, and a courier places another one.
    assert!(kept.contains("2.2 conduct"), "{kept:?}");
    let missing: BTreeSet<&str> = report.missing_methods.iter().map(|missing| &*missing.method).collect();
    assert!(!missing.contains("grant.revoke") && missing.contains("clock.advance"), "{missing:?}");

    let ids = grants(&platform).await;
    assert!(ids.len() > 5, "{}", ids.len());
    let shown: Vec<&String> = ids.iter().filter(|id| text.contains(*id)).collect();
    assert!(shown.is_empty(), "{shown:?}");
    assert!(text.contains("<grant_id:1>") && text.contains("<bearer_token:1>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn call_that_the_operator_asks_for_shows_the_way_back_where_the_certificate_verifies() {
    const SCENARIO: &str = "01-identity-disclosure/non-semver-version-is-noticed";
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("the roots of its system", &Clock::system()).expect("an authority");
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).expect("a file");
    let Some(platform) = Platform::start(&["--trust", &roots.display().to_string()]) else { return };
    let selection = || Selection::new(&[SCENARIO.to_owned()], &[]).expect("a scenario");
    for verifies in [false, true] {
        let mut plan = platform.plan(selection());
        if verifies {
            let identity = authority.leaf("peers", &["127.0.0.1"], 30).expect("an identity");
            plan.run_context.server_identity = Some(identity);
        }
        let (_, traces, _) = played(&plan).await;
        let named = |name: &str| traces.iter().find(|trace| trace.scenario() == name).expect("a trace");
        assert_eq!(named("way-back/probe").arrival().is_some(), verifies);
        // The other scenarios rest on it.
        let shown = named(SCENARIO).way_back("alice").map(|(_, way_back)| way_back);
        assert_eq!(matches!(shown, Some(WayBack::Arrived(_))), verifies, "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probe_of_a_silent_peer_is_waited_for_where_the_user_allows_the_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("the roots of its system", &Clock::system()).expect("an authority");
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).expect("a file");
    let arguments = ["--trust", &roots.display().to_string(), "--probe-after", "1"];
    let Some(platform) = Platform::start(&arguments) else { return };
    for (max_wait, waits) in [(419, false), (420, true)] {
        let mut plan =
            platform.plan(Selection::new(&["00-sanity/heartbeat".to_owned()], &[]).expect("a stage"));
        plan.run_context.server_identity = Some(authority.leaf("peers", &["127.0.0.1"], 30).expect("one"));
        plan.run_context.real_time.max_wait = Duration::from_secs(max_wait);
        let (_, traces, _) = played(&plan).await;
        let silent = traces.iter().find(|trace| trace.scenario() == "way-back/silent");
        assert_eq!(silent.and_then(Trace::arrival).is_some(), waits, "{max_wait}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_of_a_running_platform_is_checked_method_by_method() {
    let Some(platform) = Platform::start(&[]) else { return };
    let Target::ExternalTarget(target) = platform.plan(Selection::default()).target else {
        panic!("external")
    };
    let lines = check_operator(&*target.targets).await.expect("it can be called");
    let finding =
        |method: &str| lines.iter().find(|line| line.method == method).map(|line| line.finding.clone());
    for method in [
        "describe",
        "peer.propose",
        "grant.issue",
        "grant.revoke",
        "grant.list",
        "capability.list",
        "governance.scan",
    ] {
        assert_eq!(finding(method), Some(Finding::Fine), "{method}");
    }
    for method in ["clock.advance", "event.list", "grant.hold"] {
        assert_eq!(finding(method), Some(Finding::Missing), "{method}");
    }
    let faults = lines
        .iter()
        .filter(|line| matches!(line.finding, Finding::Malformed { .. } | Finding::Failed { .. }));
    assert_eq!(faults.count(), 0, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_no_method_moves_passes_in_real_time_within_the_limit() {
    const SCENARIO: &str = r#"
title = "A peer waits"

[[peer]]
name = "alice"

[[step]]
federate = { peer = "alice" }

[[step]]
repeat = { times = 2, step = [{ advance = { seconds = 1 } }] }

[[step]]
heartbeat = { peer = "alice", as = "later" }

[[check]]
clause = "A.1"
aspect = "conduct"
check = "accepted"
basis = "observed"
requirement = "the peer is admitted after two seconds"
with = { call = "later" }
"#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("waits.toml");
    std::fs::write(&file, SCENARIO).expect("a file");
    let Some(platform) = Platform::start(&[]) else { return };
    for (max_wait, waits) in [(0, 0), (1, 0), (2, 2)] {
        let mut plan = platform.plan(Selection::default());
        plan.scenarios = Some(file.clone());
        plan.run_context.real_time.max_wait = Duration::from_secs(max_wait);
        let (report, traces, _) = played(&plan).await;
        let waited: Vec<&str> = traces.iter().flat_map(Trace::waits_in_real_time).collect();
        assert_eq!(waited.len(), waits, "{waited:?}");
        assert!(waited.iter().all(|text| text.contains("waits 1 s in real time")), "{waited:?}");
        let verdict = report.checks[0].evaluation.result.verdict;
        assert_eq!(verdict == Verdict::Kept, waits > 0, "{:?}", report.checks[0].evaluation.result);
        // The entries have the time of the clock by which the scenario goes.
        let waiting = traces.iter().find(|trace| trace.waits_in_real_time().next().is_some());
        let passed = waiting.and_then(|trace| {
            Some(trace.entries().last()?.at.duration_since(trace.entries().first()?.at).as_secs())
        });
        assert_eq!(passed.is_some_and(|seconds| seconds >= 2), waits > 0, "{passed:?}");
    }
}

/// Requests to G3 through its surface.
const OF_G3: [&str; 7] = [
    "00-*/sync",
    "05-*/excerpt-names-nobody-else",
    "06-*/each-*",
    "07-*/failure-leaves-nothing",
    "10-*/migrations-of-incompatible-peers-crash-nothing",
    "A-*/version-is-acknowledged",
    "V-*/both-sides-record-same-version",
];

#[tokio::test(flavor = "multi_thread")]
async fn g3_is_evaluated_through_its_rest_surface_under_starred_allowlists_and_signed_tokens() {
    // The log-in is renewed by its refresh token, beyond the five log-ins of an hour.
    let Some(platform) = Platform::of(&G3, &["--token-calls", "20"]) else { return };
    let selection = Selection::new(&OF_G3.map(str::to_owned), &[]).expect("a selection");
    let (report, _, text) = played(&platform.plan(selection)).await;
    assert_eq!(report.void, None);
    let failed: Vec<Stage> = report.failed_stages.iter().map(|failed| failed.stage).collect();
    assert_eq!(failed, [Stage::Sync], "each scenario has names of its own on a platform that they share");
    let broken = verdicts(&report, Verdict::Broken, Basis::Observed);
    assert!(broken.is_subset(&BTreeSet::from(TRULY_BROKEN.map(str::to_owned))), "{broken:?}");
    let kept = verdicts(&report, Verdict::Kept, Basis::Observed);
    for aspect in ["5.4 conduct", "6.4 detection", "10.1 detection", "V.2 conduct"] {
        assert!(kept.contains(aspect), "{aspect}: {kept:?}");
    }
    assert!(text.contains("<bearer_token:1>"));
    for id in grants(&platform).await {
        assert!(!text.contains(&format!("fgs.{id}.")), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_and_events_of_g3_are_used_by_its_operator() {
    const SCENARIO: &str = r#"
title = "The operator suspends a peer, which waits for an approval"

[[peer]]
name = "alice"

[[step]]
federate = { peer = "alice", as = "admitted" }

[[step]]
operator = { method = "peer.suspend", with = { peer_id = "${alice.id}" } }

[[step]]
operator = { method = "peer.show", with = { peer_id = "${alice.id}" } }

[[step]]
expect = { data = { peer = { status = "suspended", data_residency = "eu" } } }

[[step]]
operator = { method = "event.list" }

[[check]]
clause = "A.1"
aspect = "conduct"
check = "accepted"
basis = "observed"
requirement = "the peer is admitted before"
with = { call = "admitted" }
"#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("suspends.toml");
    std::fs::write(&file, SCENARIO).expect("a file");
    let Some(platform) = Platform::of(&G3, &[]) else { return };
    let mut plan = platform.plan(Selection::default());
    plan.scenarios = Some(file);
    let (report, _, text) = played(&plan).await;
    assert_eq!(report.checks[0].evaluation.result.verdict, Verdict::Kept, "{:?}", report.checks[0]);
    assert!(text.contains("federation.peer.suspended") && text.contains("federation.peer.heartbeat"));
}
