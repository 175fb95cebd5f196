//! A platform that shares nothing with the suite but the binding, in Python, evaluated through its adapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use covenant::check::Verdict;
use covenant::operator::{Log, Program, Stdio};
use covenant::report::Report;
use covenant::suite::{ExternalTarget, Plan, Selection, Target};

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#[tokio::test(flavor = "multi_thread")]
async fn an_independent_platform_is_evaluated_fairly() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: there is no program {missing} here");
        return;
    }
    let report = check("adapter.py", Plan { cases: 1, ..Plan::default() }).await;
    assert_eq!(report.void, None);
    let broken = actual(&report, Verdict::Broken);
    assert!(broken.is_empty(), "{broken:#?}");
    let unproven = actual(&report, Verdict::Unproven);
    let missing: BTreeSet<&str> = unproven
        .iter()
        .filter_map(|(_, actual)| actual.strip_prefix("the adapter does not know the method "))
        .collect();
    let methods = [
        "contract.deprecate",
        "migration.commit",
        "overlay.list",
        "platform.kill",
        "release.deprecate",
        "release.set",
    ];
    assert_eq!(missing, BTreeSet::from(methods));
    // It sends no more than was asked for, so that a peer has neither a conflict nor a reference to hide.
    let unused: BTreeSet<&str> = unproven
        .iter()
        .filter(|(_, actual)| actual == "the target gave the peer no occasion to misbehave")
        .map(|(clause, _)| clause.as_str())
        .collect();
    assert_eq!(unused, BTreeSet::from(["7.3", "7.4"]));
    assert!(report.counts.kept >= 130, "{:?}", report.counts);
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_tells_from_a_queue_is_given_the_time() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: there is no program {missing} here");
        return;
    }
    let selection = Selection::new(&[], &[9]).expect("a commitment");
    let report = check("from_a_queue.py", Plan { cases: 1, selection, ..Plan::default() }).await;
    let disclosed: Vec<Verdict> = report
        .checks
        .iter()
        .map(|evaluated| &evaluated.evaluation)
        .filter(|outcome| outcome.check.clause.to_string() == "9.1")
        .map(|outcome| outcome.result.verdict)
        .collect();
    assert!(disclosed.len() >= 3, "{disclosed:?}");
    assert!(disclosed.iter().all(|verdict| *verdict == Verdict::Kept), "{disclosed:?}");
}

/// The clauses that were evaluated so, and what was seen.
fn actual(report: &Report, verdict: Verdict) -> Vec<(String, String)> {
    let outcomes = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    outcomes
        .filter(|outcome| outcome.result.verdict == verdict)
        .map(|outcome| (outcome.check.clause.to_string(), outcome.result.actual.clone()))
        .collect()
}

/// The verdict on the platform whose operator are in that file.
async fn check(adapter: &str, plan: Plan) -> Report {
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python-platform").join(adapter);
    let program = Program::of(vec!["python3".to_owned(), adapter.display().to_string()]).expect("a program");
    let targets = Arc::new(Stdio::new(program, Duration::from_mins(1), Log::default()));
    let name = "the Python platform".to_owned();
    let target = Target::ExternalTarget(ExternalTarget { name, arguments: vec![], targets });
    Plan { target, ..plan }.run_to_report().await.expect("a run")
}

/// The program that the platform needs and this machine lacks.
fn missing_program() -> Option<&'static str> {
    let works = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).output().is_ok_and(|output| output.status.success())
    };
    [("python3", "--version"), ("openssl", "version")]
        .into_iter()
        .find_map(|(program, argument)| (!works(program, argument)).then_some(program))
}
