//! A run against a platform that answers as platforms of generation G1 were recorded, through its adapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use covenant::Stage;
use covenant::check::{Evaluation, Verdict};
use covenant::contract::Basis;
use covenant::operator::{Log, Method, Program, Stdio};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Target};

/// The breaches of the platform on the observed wire: the clause and its aspect. Nothing else of that basis may be
/// broken. A check may lack the means to see some of them.
const TRULY_BROKEN: [&str; 8] = [
    // It takes the contract versions 1.9, "1abc" and "1" for 1, and records the agreement.
    "A.1 conduct",
    // Its audit log holds the accept alone, and no heartbeat, read or migration.
    "5.1 conduct",
    // The entry of the accept does not say who acted.
    "5.2 conduct",
    // It reads the whole body before it asks who calls, and refuses a migration that was being received.
    "4.3 conduct",
    // It limits no calls.
    "6.1 detection",
    // One peer subscribes beyond the stated capacity of an offering, and for a hundred years.
    "6.2 conduct",
    // It applies a step of a kind, or to an id, that the grant does not name.
    "6.4 detection",
    // It takes "banana.3.x" and "v9.3.1" for compatible releases, and serves incompatible peers.
    "10.1 detection",
];

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_of_the_first_generation_is_evaluated_by_what_it_speaks() {
    if !has_python() {
        eprintln!("skipped: the program python3 is missing, or lacks a module of its standard library");
        return;
    }
    let report = run().await;
    assert_eq!(report.void, None);

    // It has no such route. Nothing but the stage may say so.
    let sync = report.failed_stages.iter().find(|failed| failed.stage == Stage::Sync).expect("sync fails");
    assert!(sync.fault.reason.contains("404"), "{}", sync.fault);
    // A record belongs to an account, so the peers send `account_id` in every record that they migrate.
    for stage in [Stage::Handshake, Stage::Heartbeat, Stage::Read, Stage::Migrate] {
        assert!(report.failed_stages.iter().all(|failed| failed.stage != stage), "{stage}");
    }

    let broken: Vec<&Evaluation> = with_verdict(&report, Verdict::Broken).collect();
    let on_absent_route: Vec<&&Evaluation> =
        broken.iter().filter(|evaluation| evaluation.result.actual.contains("404")).collect();
    assert!(on_absent_route.is_empty(), "{on_absent_route:#?}");
    let observed: BTreeSet<String> = broken
        .iter()
        .filter(|evaluation| evaluation.check.basis == Basis::Observed)
        .map(|evaluation| format!("{} {}", evaluation.check.clause, evaluation.check.aspect))
        .collect();
    let truly_broken = BTreeSet::from(TRULY_BROKEN.map(str::to_owned));
    assert!(observed.is_subset(&truly_broken), "{observed:?}");
    assert!(observed.contains("A.1 conduct"), "{observed:?}");

    // Its scan names the peers without a residency, and no other peer.
    let residency: Vec<Verdict> = report
        .checks
        .iter()
        .map(|evaluated| &evaluated.evaluation)
        .filter(|evaluation| evaluation.check.id.ends_with("residency-is-noticed#1"))
        .map(|evaluation| evaluation.result.verdict)
        .collect();
    assert_eq!(residency, [Verdict::Kept; 3]);

    // Most of the contract cannot be seen here, and the report names the methods that would show more of it.
    assert!(report.counts.unproven >= 80, "{:?}", report.counts);
    let missing: BTreeSet<&str> =
        report.missing_methods.iter().map(|missing| missing.method.as_str()).collect();
    let description = adapters().start().await.expect("it starts").description().clone();
    let lacking: BTreeSet<&str> =
        Method::all().filter(|method| !description.has(*method)).map(Method::name).collect();
    assert!(missing.is_subset(&lacking), "{missing:?} {lacking:?}");
    assert!(missing.contains("resource.fetch") && missing.contains("clock.advance"), "{missing:?}");
}

/// Returns the evaluations with that verdict.
fn with_verdict(report: &Report, verdict: Verdict) -> impl Iterator<Item = &Evaluation> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations.filter(move |evaluation| evaluation.result.verdict == verdict)
}

/// Returns the file of the adapter.
fn file() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/g1-platform/adapter.py").display().to_string()
}

/// Returns the adapters that the file starts.
fn adapters() -> Stdio {
    let program = Program::of(vec!["python3".to_owned(), file()]).expect("a program");
    Stdio::new(program, Duration::from_mins(1), Log::default())
}

/// Runs the suite against the platform.
async fn run() -> Report {
    let name = "a platform of generation G1".to_owned();
    let target = ExternalTarget { name, arguments: vec![], targets: Arc::new(adapters()) };
    let plan = Plan { cases: 1, target: Target::ExternalTarget(target), ..Plan::default() };
    plan.run_to_report().await.expect("a run")
}

/// Returns true if Python is there, with the modules that the platform imports.
fn has_python() -> bool {
    let mut command = Command::new("python3");
    command.arg("-c").arg("import http.server, ipaddress, socketserver, sqlite3, ssl");
    command.output().is_ok_and(|output| output.status.success())
}
