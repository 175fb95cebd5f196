//! The release gate against the embedded reference: each seeded incompatibility is found by its rule, no addition is called
//! breaking, and a release that is played again differs in nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use covenant::clock::Clock;
use covenant::gate::{
    Comparison, Hold, Notice, Part, RULES, Recording, SCENARIOS, SEED, Verdict, Weight, scenarios_sha256,
    text,
};
use covenant::operator::{Embedded, EmbeddedOptions};
use covenant::reference::{ReleaseChange, release_change, release_changes};
use covenant::runner::{ExternalTarget, NoObserver, Plan, Target};
use covenant::transcript::Direction;
use serde_json::{Value, json};

use crate::held::{compared, each_is_found, plan, recording};
use crate::program::{Kept, covenant_in};

/// The number of additions that are played.
const ADDITIONS: usize = 5;

/// One change for each rule, and as many additions as rules have none. `gate_ways` of `platforms` plays all.
fn some_changes() -> impl Iterator<Item = &'static ReleaseChange> {
    let mut seen = BTreeSet::new();
    let breaking =
        release_changes().filter(move |change| change.breaks.is_some_and(|rule| seen.insert(rule)));
    breaking.chain(release_changes().filter(|change| change.breaks.is_none()).take(ADDITIONS))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incompatibility_is_found_by_its_rule_and_no_addition_is_breaking() {
    let (breaking, additions) = each_is_found(some_changes()).await;
    assert!(breaking > 10 && additions == ADDITIONS, "{breaking} breaking, {additions} additions");
}

#[test]
fn the_changes_reach_both_directions_and_every_breaking_rule() {
    let seeded: BTreeSet<&str> = release_changes().filter_map(|change| change.breaks).collect();
    // A scenario ends early, or a check is broken, because of a change that has a rule of its own.
    let known: BTreeSet<&str> =
        RULES.iter().filter(|rule| rule.weight == Weight::Breaking).map(|rule| rule.id).collect();
    let missing: Vec<_> = known.difference(&seeded).copied().collect();
    assert_eq!(missing, ["check-broken", "scenario-ended"]);
    assert!(seeded.is_subset(&known), "{seeded:?}");
    let names: BTreeSet<&str> = release_changes().map(|change| change.patch.name).collect();
    assert_eq!(names.len(), release_changes().count());
    let breaking = release_changes().filter(|change| change.breaks.is_some()).count();
    assert!(breaking >= 30 && names.len() - breaking >= 15, "{breaking} of {} breaking", names.len());
    let scenarios = |change: &ReleaseChange| SCENARIOS.contains(&change.scenario);
    assert!(release_changes().all(scenarios));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_played_again_differs_in_nothing() {
    let recording = recording().await;
    assert!(recording.left_out.is_empty(), "{:?}", recording.left_out);
    // The recording was played under 1 and 2.
    for seed in [3, 77] {
        let again = compared(&recording, vec![], seed, &[]).await;
        assert_eq!(again.verdict, Verdict::Compatible, "seed {seed}: {:#?}", again.breaking);
        assert!(again.others.is_empty(), "seed {seed}: {:#?}", again.others);
    }
    let directions: BTreeSet<bool> = recording
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.exchanges)
        .map(|template| template.direction == Direction::ToTarget)
        .collect();
    assert_eq!(directions.len(), 2);
}

/// Runs the gate of the program and returns its exit code, with standard output and standard error.
fn gate(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = covenant_in(folder, &[&["gate"], arguments, &["--quiet"]].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// The folder of the recording of release 1.4.2.
const RECORDED: &str = "golden/releases/1.4.2";

/// Returns a folder with the recording of release 1.4.2, which the program makes once.
fn recorded() -> tempfile::TempDir {
    static RELEASE: OnceLock<Kept> = OnceLock::new();
    let made = |folder: &Path| {
        let (code, out, err) = gate(folder, &["record", "--release", "1.4.2", "--out", RECORDED]);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("golden/releases/1.4.2/recording.json: release 1.4.2"), "{out}");
    };
    RELEASE.get_or_init(|| Kept::made(made)).folder()
}

#[test]
fn the_program_records_a_release_and_holds_the_next_one_to_it() {
    let folder = recorded();
    let with = |more: &[&str]| gate(folder.path(), &[&["--baseline", RECORDED], more].concat());
    let (code, out, _) = with(&["--release", "1.5.0"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("1.5.0 against the recording of 1.4.2, a minor bump: compatible"), "{out}");

    let change = ["--release", "1.5.0", "--defect", "release-counts-milliseconds"];
    let (code, out, _) = with(&change);
    assert_eq!(code, 1, "{out}");
    // Both exchanges, one under the other, each with its request line, its headers and its status.
    let mut rest = out.as_str();
    for text in [
        "unit-changed",
        "breaks 10.1",
        "1.4.2 (recorded):",
        "POST ",
        "/subscriptions",
        "201",
        "content-type: application/json",
        "2592000\n",
        "1.5.0 (now):",
        "POST ",
        "201",
        "2592000000\n",
    ] {
        let (_, after) = rest.split_once(text).unwrap_or_else(|| panic!("{text}: {out}"));
        rest = after;
    }
    let (code, out, _) = with(&[&change[..], &["--except", "unit-changed", "--format", "json"]].concat());
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, &json["breaking"], &json["others"][0]["rule"]),
        (0, &json!([]), &json!("unit-changed"))
    );

    let (code, out, _) = with(&["--release", "1.6.0"]);
    assert_eq!(code, 7, "{out}");
    assert!(out.contains("not neighbours"), "{out}");
}

/// Holds a release with a change to the recording, in the scenario that the change names.
async fn held(folder: &Path, release: &str, change: &str, given: Option<&str>) -> Comparison {
    let digest = scenarios_sha256().expect("sound scenarios");
    let recording = Recording::read(&folder.join(RECORDED), &digest).expect("a recording");
    let change = release_change(change).expect(change);
    let settings = json!({"release": release, "last_known_good_release": format!("v{release}")});
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let targets = Arc::new(Embedded::new(EmbeddedOptions { listen, patches: vec![&change.patch], settings }));
    let target = ExternalTarget { name: release.to_owned(), arguments: vec![], targets };
    let plan = Plan { target: Target::ExternalTarget(target), ..plan(vec![]) };
    let given = given.map(|date| date.parse().expect("a date"));
    let hold = Hold {
        release: release.parse().ok(),
        notice: given.and_then(|date| Notice::attested(date, Clock::system().now())),
        part: Part::Only(vec![change.scenario.to_owned()]),
        ..Hold::default()
    };
    covenant::gate::hold(&plan, &recording, SEED, &hold, Arc::new(NoObserver)).await.expect("a comparison")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_passes_across_a_major_bump_after_a_notice_of_30_days_alone() {
    let folder = recorded();
    let path = folder.path();
    let change = "release-counts-milliseconds";
    for (release, notice, reason) in [
        ("2.0.0", None, Some("no deprecation notice is known")),
        ("2.0.0", Some("2999-01-01"), Some("less than 30 days old")),
        ("1.5.0", Some("2020-01-01"), None),
    ] {
        let comparison = held(path, release, change, notice).await;
        let report = text(&comparison);
        assert_eq!(comparison.verdict, Verdict::Breaking, "{report}");
        assert!(reason.is_none_or(|reason| report.contains(reason)), "{report}");
    }
    // No notice announces a crash.
    let crashes = held(path, "2.0.0", "release-fails-at-bundle", Some("2020-01-01")).await;
    assert_eq!(crashes.verdict, Verdict::Breaking, "{}", text(&crashes));

    let announced =
        ["--baseline", RECORDED, "--release", "2.0.0", "--notice-given", "2020-01-01", "--defect"];
    let (code, out, _) = gate(path, &[&announced[..], &[change]].concat());
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("announced") && out.contains("attested"), "{out}");
    // What comes after an end that is left out was not seen.
    let ended =
        ["release-requires-signed-accept", "--except", "scenario-ended", "--except", "member-required"];
    let (code, out, err) = gate(path, &[&announced[..], &ended].concat());
    assert_eq!(code, 7, "{out}{err}");
}

/// Returns a recording with a request of 200 lists in one another.
fn deep(head: &Value) -> String {
    let mut recording = head.clone();
    recording["scenarios"] = json!([{"id": "x", "exchanges": [{"request": "DEEP"}]}]);
    recording.to_string().replace("\"DEEP\"", &("[".repeat(200) + &"]".repeat(200)))
}

#[test]
fn a_recording_that_cannot_be_used_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let gate = |arguments: &[&str]| gate(folder.path(), arguments);
    let (code, out, err) = gate(&["--baseline", "golden/releases/1.4.2"]);
    assert_eq!((code, out.as_str()), (7, ""), "{err}");
    assert!(err.contains("covenant gate record --release VERSION --out golden/releases/1.4.2"), "{err}");

    let digest = scenarios_sha256().expect("sound scenarios");
    let write = |value: &str| fs::write(folder.path().join("recording.json"), value).expect("a file");
    let head = json!({"format": 2, "suite": env!("CARGO_PKG_VERSION"), "scenarios_sha256": digest, "release": "1.4.2"});
    let with = |name: &str, value: Value| {
        let mut head = head.clone();
        head[name] = value;
        head.to_string()
    };
    let again = "covenant gate record --release 1.4.2 --out .";
    for (content, expected) in [
        ("no JSON".to_owned(), "line 1 column 2"),
        (deep(&head), "recursion limit"),
        (head.to_string(), "missing field"),
        (with("format", json!(9)), "format 9"),
        (with("format", json!(9)), again),
        (with("format", json!(1)), again),
        (with("suite", json!("0.0.1")), "recorded by covenant 0.0.1"),
        (with("scenarios_sha256", json!("00")), again),
        (with("colour", json!("blue")), "unknown field `colour`"),
    ] {
        write(&content);
        let (code, _, err) = gate(&["--baseline", "."]);
        assert_eq!(code, 2, "{content}: {err}");
        assert!(err.contains(expected), "{content}: {expected}: {err}");
    }
}
