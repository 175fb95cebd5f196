//! The table of the ways of the release gate: which of them finds which change between two releases, of the reference and of the
//! Python platform.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use covenant::contract::{HeldText, TextSource, V1_2026_05};
use covenant::gate::{Choice, PairTarget, Pairing, SEED, Verdict, pair, simulate};
use covenant::operator::{Embedded, EmbeddedOptions, Targets};
use covenant::reference::{Patch, ReleaseChange, release_changes};
use covenant::runner::{NoObserver, Plan, Target};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::held::each_has_its_verdict;
use crate::python::missing_program;

const LISTEN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The number of changes that are played side by side.
const SIDE_BY_SIDE: usize = 4;

fn release(release: &str, patches: Vec<&'static Patch>) -> PairTarget {
    let settings = json!({"release": release, "last_known_good_release": format!("v{release}")});
    let targets: Arc<dyn Targets> =
        Arc::new(Embedded::new(EmbeddedOptions { listen: LISTEN, patches, settings }));
    PairTarget { name: release.to_owned(), targets, release: release.parse().ok(), is_one: false }
}

/// Returns whether simulated neighbours and a pair find the change.
async fn found(change: &'static ReleaseChange) -> [bool; 2] {
    let mut plan = Plan { target: Target::Embedded(vec![&change.patch]), ..Plan::default() };
    plan.contract = Some(HeldText::known(&V1_2026_05, TextSource::User));
    plan.run_context.poll_timeout = Duration::from_secs(1);
    // A release that refuses every peer discloses nothing.
    let named = "1.4.0".parse().ok();
    let simulated = simulate(&plan, SEED, named.as_ref(), &Choice::default(), Arc::new(NoObserver)).await;
    let pairing = Pairing {
        old: release("1.4.2", vec![]),
        new: release("1.5.0", vec![&change.patch]),
        rules: Choice::default(),
        notice: None,
        listen: LISTEN,
        seed: SEED,
    };
    let paired = pair(&pairing).await;
    let is_breaking = |verdict: Verdict| verdict == Verdict::Breaking;
    [
        is_breaking(simulated.expect("a simulation").verdict),
        is_breaking(paired.expect("a comparison").comparison.verdict),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_finds_the_changes_of_its_row_and_no_addition() {
    let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut playing = JoinSet::new();
    for change in release_changes() {
        let places = places.clone();
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            (change, Box::pin(found(change)).await)
        });
    }
    let mut wrong = vec![];
    while let Some(played) = playing.join_next().await {
        let (change, found) = played.expect("it is played");
        let expected = [change.is_seen_by_neighbours(), change.is_seen_by_pair()];
        if found != expected {
            wrong.push(format!("{}: found {found:?}, expected {expected:?}", change.patch.name));
        }
    }
    assert!(wrong.is_empty(), "simulated, paired: {wrong:#?}");
}

/// Releases that a neighbour cannot live with, or that an outsider crashes.
const BREAKING: &[&str] = &[
    "rejects-other-minor-versions",
    "requires-equal-patch-version",
    "rejects-pre-release-versions",
    "rejects-accept-of-other-release",
    "aborts-join-of-adjacent-minor",
    "discards-adjacent-minor-migrations",
    "fails-at-heartbeat-of-incompatible-peer",
];

/// Releases that serve outsiders, or do not report them. The contract permits both.
const PERMITTED: &[&str] =
    &["accepts-version-two-minors-away", "accepts-any-major-version", "overlooks-version-drift"];

#[tokio::test(flavor = "multi_thread")]
async fn each_release_that_refuses_a_neighbour_breaks_and_one_that_serves_outsiders_does_not() {
    let breaking = BREAKING.iter().map(|name| (*name, Verdict::Breaking));
    let permitted = PERMITTED.iter().map(|name| (*name, Verdict::Compatible));
    each_has_its_verdict(breaking.chain(permitted)).await;
}

/// The changes of the Python platform, with the exit codes of the three ways: recorded, simulated, paired.
const OF_PYTHON: [(&str, [i32; 3]); 5] = [
    (" --adds", [0, 0, 0]),
    (" --breaks-answers", [1, 0, 1]),
    (" --breaks-calls", [1, 0, 1]),
    (" --breaks-forms", [1, 0, 1]),
    // The pair alone stops a platform.
    (" --forgets", [0, 0, 1]),
];

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[test]
fn two_releases_of_the_python_platform_are_held_to_each_other_in_each_way() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: the program {missing} is missing");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let platform = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python-platform").join(file);
        format!("python3 {}", shlex::try_quote(&path.display().to_string()).expect("a path"))
    };
    let gate = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
        command.current_dir(folder.path()).arg("gate").args(arguments);
        let output = command.output().expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), text)
    };
    let old = platform("adapter.py");
    let holds = |way: usize, of_way: &dyn Fn(&str) -> Vec<String>| {
        for (option, expected) in OF_PYTHON {
            let arguments = of_way(&(platform("next_release.py") + option));
            let (code, out) = gate(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            // The platform has a clock of its own: on a busy machine, a grant may end while a scenario of the recorded way reads
            // under it. What comes once in two plays is not compared.
            let is_busy = code == 7 && out.contains("came once in two plays");
            let expected = expected[way];
            assert!(
                code == expected || (expected == 0 && is_busy),
                "{arguments:?}: {code} for {expected}: {out}"
            );
        }
    };
    // Each way waits most of its time, so the three play side by side.
    std::thread::scope(|ways| {
        ways.spawn(|| {
            let arguments = ["record", "--release", "1.4.0", "--out", "old", "--adapter", &old, "--quiet"];
            let (code, out) = gate(&arguments);
            assert_eq!(code, 0, "{out}");
            holds(0, &|new| words(&["--baseline", "old", "--adapter", new, "--quiet"]));
        });
        ways.spawn(|| holds(1, &|new| words(&["--simulated", "--adapter", new, "--quiet"])));
        ways.spawn(|| holds(2, &|new| words(&["--old", &old, "--new", new])));
    });
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|one| (*one).to_owned()).collect()
}
