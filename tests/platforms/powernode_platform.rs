//! Runs against platforms that answer as those of each generation do, through their adapter
//! (`tests/powernode-platform/`).

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
use covenant::runner::{ExternalTarget, Plan, Selection, Target};

/// The breaches of the platforms on the observed wire: the clause and its aspect. Nothing else of that basis may be
/// broken. A check may lack the means to see some of them.
const TRULY_BROKEN: [&str; 7] = [
    // It takes the contract versions 1.9, "1abc" and "1" for 1, and records the agreement.
    "A.1 conduct",
    // The log holds the accept alone, later also heartbeats and changes of status, and no read or migration.
    "5.1 conduct",
    // No entry says who acted.
    "5.2 conduct",
    // It reads the whole body before it asks who calls, and refuses a migration that was being received.
    "4.3 conduct",
    // It limits no calls.
    "6.1 detection",
    // It applies a step of a kind, or to an id, that the grant does not name.
    "6.4 detection",
    // It takes "banana.3.x" and "v9.3.1" for compatible releases, and serves incompatible peers.
    "10.1 detection",
];

/// Their breaches on the proposed basis.
const TRULY_BROKEN_AS_PROPOSED: [&str; 7] = [
    // "v0.3.1" and "0.3.1.4" pass for versions, so no finding names the peer that discloses them.
    "1.3 detection",
    // A peer that discloses nothing is enrolled.
    "1.5 detection",
    // One peer subscribes beyond the stated capacity of an offering, and for a hundred years.
    "6.2 conduct",
    // There is no finding about probing.
    "6.4 detection",
    // A plan in which a payload has another id than its step is applied.
    "7.4 conduct",
    // A list with an empty text passes for a residency.
    "8.1 detection",
    // An enumeration raises no finding.
    "E.1 detection",
];

/// The scenarios for a platform of G3 in the tests: every route, and what it is known to keep and to break.
const OF_G3: [&str; 18] = [
    "00-*/sync",
    "01-*/near-miss-versions-are-noticed",
    "02-*/revoked-grant-stops-at-once",
    "04-*/received-migration-has-grace",
    "05-*/every-action-is-in-the-excerpt",
    "05-*/excerpt-names-nobody-else",
    "06-*/each-*",
    "06-*/enumeration-is-rejected",
    "06-*/subscriptions-stay-within-the-offer",
    "07-*/conflicts-are-resolved",
    "07-*/failure-leaves-nothing",
    "07-*/invalid-plans-are-rejected",
    "08-*/missing-residency-is-noticed",
    "10-*/invalid-versions-are-answered-as-incompatible",
    "10-*/two-minor-versions-off-is-noticed",
    "11-*/other-certificates-are-refused",
    "A-*/version-is-acknowledged",
    "V-*/both-sides-record-same-version",
];

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_of_the_first_generation_is_evaluated_by_what_it_speaks() {
    if !has_python() {
        eprintln!("skipped: the program python3 is missing, or lacks a module of its standard library");
        return;
    }
    let report = run(&[], Selection::default()).await;
    require_stages(&report);
    let observed = require_truly_broken(&report);
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
    let description = adapters(&[]).start().await.expect("it starts").description().clone();
    let lacking: BTreeSet<&str> =
        Method::all().filter(|method| !description.has(*method)).map(Method::name).collect();
    assert!(missing.is_subset(&lacking), "{missing:?} {lacking:?}");
    assert!(missing.contains("resource.fetch") && missing.contains("clock.advance"), "{missing:?}");
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_of_the_third_generation_is_evaluated_by_what_it_speaks() {
    if !has_python() || !has_openssl() {
        eprintln!("skipped: python3 or openssl is missing");
        return;
    }
    let only = OF_G3.map(str::to_owned);
    let selection = Selection::new(&only, &[]).expect("a selection");
    let report = run(&["--generation", "G3", "--resets"], selection).await;
    require_stages(&report);
    let observed = require_truly_broken(&report);
    // A flood is distinguished from calls of a later minute, and no method moves the clock.
    let shown = TRULY_BROKEN.into_iter().filter(|broken| *broken != "6.1 detection");
    assert_eq!(observed, shown.map(str::to_owned).collect());
    let kept: BTreeSet<&str> =
        with_verdict(&report, Verdict::Kept).map(|evaluation| evaluation.check.id.as_str()).collect();
    for check in [
        // A token is forged, and another authority issued a certificate. A proxy in front forwards none that has ended.
        "06-no-undermining/each-enumeration-is-rejected#14",
        "11-right-of-exit/other-certificates-are-refused#2",
        // An allowlist that is not named is `["*"]`, and one that is named restricts.
        "06-no-undermining/each-allowlist-is-enforced#1",
        "05-audit-transparency/excerpt-names-nobody-else#1",
    ] {
        assert!(kept.contains(check), "{check}: {kept:?}");
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_of_the_second_generation_is_reached_through_a_proxy_that_ends_tls() {
    if !has_python() || !has_openssl() {
        eprintln!("skipped: python3 or openssl is missing");
        return;
    }
    let only = ["00-*/sync", "11-*/other-certificates-are-refused", "A-*/version-is-acknowledged"]
        .map(str::to_owned);
    // One revision keeps the names of the first generation.
    for subject in ["fed:{}", "federation-peer-{}"] {
        let selection = Selection::new(&only, &[]).expect("a selection");
        let arguments = ["--generation", "G2", "--tls", "--resets", "--subject", subject];
        let report = run(&arguments, selection).await;
        require_stages(&report);
        assert_eq!(require_truly_broken(&report), BTreeSet::from(["A.1 conduct".to_owned()]));
        let kept = with_verdict(&report, Verdict::Kept);
        assert_eq!(kept.filter(|evaluation| evaluation.check.clause.to_string() == "11.5").count(), 2);
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn platform_that_refuses_other_releases_and_states_its_own_in_heartbeats_alone_is_evaluated() {
    if !has_python() {
        eprintln!("skipped: the program python3 is missing, or lacks a module of its standard library");
        return;
    }
    let only = ["00-*/sync", "A-*/version-is-acknowledged"].map(str::to_owned);
    let report = run(&["--window", "--resets"], Selection::new(&only, &[]).expect("a selection")).await;
    require_stages(&report);
    assert_eq!(require_truly_broken(&report), BTreeSet::from(["A.1 conduct".to_owned()]));
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn peer_goes_to_another_port_where_its_url_is_taken() {
    if !has_python() {
        eprintln!("skipped: the program python3 is missing, or lacks a module of its standard library");
        return;
    }
    let only = ["00-*/sync", "A-*/version-is-acknowledged"].map(str::to_owned);
    let report = run(&["--taken", "--resets"], Selection::new(&only, &[]).expect("a selection")).await;
    require_stages(&report);
    assert_eq!(require_truly_broken(&report), BTreeSet::from(["A.1 conduct".to_owned()]));
}

/// Fails if a stage other than those of routes that the platform lacks fails.
fn require_stages(report: &Report) {
    assert_eq!(report.void, None);
    // It has no such route. Nothing but the stage may say so.
    let sync = report.failed_stages.iter().find(|failed| failed.stage == Stage::Sync).expect("sync fails");
    assert!(sync.fault.reason.contains("answered 404"), "{}", sync.fault);
    // A record belongs to an account, so the peers send `account_id` in every record that they migrate.
    for stage in [Stage::Handshake, Stage::Heartbeat, Stage::Read, Stage::Migrate] {
        assert!(report.failed_stages.iter().all(|failed| failed.stage != stage), "{stage}");
    }
}

/// Fails if anything is called broken that is not, or on a route that is not there. Returns what is broken on the
/// observed wire.
fn require_truly_broken(report: &Report) -> BTreeSet<String> {
    let on_absent_route: Vec<&Evaluation> = with_verdict(report, Verdict::Broken)
        .filter(|evaluation| evaluation.result.actual.contains("answered 404"))
        .collect();
    assert!(on_absent_route.is_empty(), "{on_absent_route:#?}");
    let of = |basis: Basis| -> BTreeSet<String> {
        with_verdict(report, Verdict::Broken)
            .filter(|evaluation| evaluation.check.basis == basis)
            .map(|evaluation| format!("{} {}", evaluation.check.clause, evaluation.check.aspect))
            .collect()
    };
    let (observed, proposed) = (of(Basis::Observed), of(Basis::Proposed));
    assert!(observed.is_subset(&TRULY_BROKEN.map(str::to_owned).into()), "{observed:?}");
    assert!(proposed.is_subset(&TRULY_BROKEN_AS_PROPOSED.map(str::to_owned).into()), "{proposed:?}");
    observed
}

/// Returns the evaluations with that verdict.
fn with_verdict(report: &Report, verdict: Verdict) -> impl Iterator<Item = &Evaluation> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations.filter(move |evaluation| evaluation.result.verdict == verdict)
}

/// Returns the adapters that the file starts with these arguments.
fn adapters(arguments: &[&str]) -> Stdio {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powernode-platform/adapter.py");
    let command = ["python3".to_owned(), file.display().to_string()];
    let arguments = arguments.iter().map(ToString::to_string);
    let program = Program::of(command.into_iter().chain(arguments).collect()).expect("a program");
    Stdio::new(program, Duration::from_mins(1), Log::default())
}

/// Runs the suite against the platform.
async fn run(arguments: &[&str], selection: Selection) -> Report {
    let name = "a platform of one generation".to_owned();
    let target = ExternalTarget { name, arguments: vec![], targets: Arc::new(adapters(arguments)) };
    let plan = Plan { cases: 1, selection, target: Target::ExternalTarget(target), ..Plan::default() };
    plan.run_to_report().await.expect("a run")
}

/// Returns true if Python is there, with the modules that the platform imports.
fn has_python() -> bool {
    let mut command = Command::new("python3");
    command.arg("-c").arg("import http.server, ipaddress, socketserver, sqlite3, ssl");
    command.output().is_ok_and(|output| output.status.success())
}

/// Returns true if the program is there that signs certificates.
fn has_openssl() -> bool {
    Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success())
}
