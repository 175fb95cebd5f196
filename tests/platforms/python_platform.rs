//! A run against the Python platform, which shares only the binding with the suite, through its adapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use covenant::check::Verdict;
use covenant::contract::Section;
use covenant::operator::{Log, Method, Program, Stdio};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target};

use crate::python::missing_program;

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn independent_platform_has_no_broken_verdict() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: the program {missing} is missing");
        return;
    }
    let report = run("adapter.py", Plan { cases: 1, ..Plan::default() }).await;
    assert_eq!(report.void, None);
    let broken = actual(&report, Verdict::Broken);
    assert!(broken.is_empty(), "{broken:#?}");
    let unproven = actual(&report, Verdict::Unproven);
    let missing: BTreeSet<&str> =
        report.missing_methods.iter().map(|missing| missing.method.as_str()).collect();
    // The report names what the adapter lacks, and nothing that it has.
    let description = adapters("adapter.py").start().await.expect("it starts").description().clone();
    let lacking: BTreeSet<&str> =
        Method::all().filter(|method| !description.has(*method)).map(Method::name).collect();
    assert!(missing.is_subset(&lacking), "{missing:?} {lacking:?}");
    assert!(missing.contains("platform.kill") && missing.contains("overlay.list"), "{missing:?}");
    // The platform sends one record and no others with it, so the peer has no conflict and no reference to hide.
    let without_occasion: BTreeSet<&str> = unproven
        .iter()
        .filter(|(_, actual)| actual == "the target gave the peer no occasion to misbehave")
        .map(|(clause, _)| clause.as_str())
        .collect();
    assert_eq!(without_occasion, BTreeSet::from(["7.3", "7.4"]));
    assert!(report.counts.kept >= 130, "{:?}", report.counts);
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_with_queued_notices_discloses_in_time() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: the program {missing} is missing");
        return;
    }
    let selection = Selection::new(&[], &[Section::Commitment(9)]).expect("a commitment");
    let report = run("queued_notices.py", Plan { cases: 1, selection, ..Plan::default() }).await;
    let disclosed: Vec<Verdict> = report
        .checks
        .iter()
        .map(|evaluated| &evaluated.evaluation)
        .filter(|evaluation| evaluation.check.clause.to_string() == "9.1")
        .map(|evaluation| evaluation.result.verdict)
        .collect();
    assert!(disclosed.len() >= 3, "{disclosed:?}");
    assert!(disclosed.iter().all(|verdict| *verdict == Verdict::Kept), "{disclosed:?}");
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_that_retries_by_the_real_clock_floods_its_peer() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: the program {missing} is missing");
        return;
    }
    let selection =
        Selection::new(&["06-*/target-limits-own-heartbeats".to_owned()], &[]).expect("a pattern");
    let report = run("endless_retries.py", Plan { cases: 1, selection, ..Plan::default() }).await;
    let broken: Vec<String> =
        actual(&report, Verdict::Broken).into_iter().map(|(clause, _)| clause).collect();
    assert_eq!(broken, ["6.1"], "{:?}", actual(&report, Verdict::Broken));
}

/// Returns each clause with that verdict, and the actual result.
fn actual(report: &Report, verdict: Verdict) -> Vec<(String, String)> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations
        .filter(|evaluation| evaluation.result.verdict == verdict)
        .map(|evaluation| (evaluation.check.clause.to_string(), evaluation.result.actual.clone()))
        .collect()
}

/// Returns the adapters that the file starts.
fn adapters(file: &str) -> Stdio {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python-platform").join(file);
    let program = Program::of(vec!["python3".to_owned(), file.display().to_string()]).expect("a program");
    Stdio::new(program, Duration::from_mins(1), Log::default())
}

/// Runs the suite against the Python platform through the given adapter file.
async fn run(adapter: &str, plan: Plan) -> Report {
    let targets = Arc::new(adapters(adapter));
    let name = "the Python platform".to_owned();
    let target = Target::ExternalTarget(ExternalTarget { name, arguments: vec![], targets });
    Plan { target, ..plan }.run_to_report().await.expect("a run")
}
