//! The paired way of the release gate: two releases of the embedded reference federate through the relay.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use covenant::clock::Seed;
use covenant::gate::{
    Bump, Choice, Comparison, MatrixVerdict, PairTarget, Pairing, SEED, StepOutcome, Verdict, pair,
    pair_each, play_pair,
};
use covenant::operator::{Embedded, EmbeddedOptions, Http, Targets};
use covenant::reference::{Patch, defect, release_change};
use covenant::transcript::Direction;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::adapter_server::{AdapterServer, TOKEN, serve};
use crate::program::covenant_in;

const LISTEN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn targets(release: &str, patches: Vec<&'static Patch>) -> Arc<dyn Targets> {
    let settings = json!({"release": release, "last_known_good_release": format!("v{release}")});
    Arc::new(Embedded::new(EmbeddedOptions { listen: LISTEN, patches, settings }))
}

fn target(release: &str, patches: Vec<&'static Patch>) -> PairTarget {
    let release_named = release.parse().expect("a version");
    PairTarget {
        name: release.to_owned(),
        targets: targets(release, patches),
        release: Some(release_named),
        is_one: false,
    }
}

/// Pairs release 1.4.2 with release 1.5.0 that has a change.
async fn paired(change: Option<&str>) -> Comparison {
    let patches = change.map(|name| &release_change(name).expect(name).patch).into_iter().collect();
    let pairing = Pairing {
        old: target("1.4.2", vec![]),
        new: target("1.5.0", patches),
        rules: Choice::default(),
        notice: None,
        listen: LISTEN,
        seed: SEED,
    };
    pair(&pairing).await.expect("a comparison").comparison
}

/// Changes of each direction, with the rule by which a pair finds them.
const BREAKING: &[(&str, &str)] = &[
    ("release-counts-records-as-text", "type-changed"),
    ("release-requires-signed-accept", "scenario-ended"),
    ("release-answers-heartbeat-with-202", "status-changed"),
    ("release-sends-no-release", "member-gone"),
    ("release-joins-on-another-path", "scenario-ended"),
    ("release-sends-batches-without-digest", "member-required"),
    ("release-renames-notice", "enum-changed"),
];

const ADDITIONS: &[&str] =
    &["release-adds-load-to-heartbeat", "release-adds-region-to-accept", "release-adds-version-to-envelope"];

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_federate_and_what_one_of_them_breaks_is_found() {
    let same = paired(None).await;
    assert_eq!(same.verdict, Verdict::Compatible, "{:#?} {:#?}", same.breaking, same.not_compared);
    assert!(same.not_compared.is_empty() && same.not_recorded.is_empty(), "{:?}", same.not_recorded);
    let routes = ["accept", "audit_excerpts", "heartbeat", "migrations", "resources", "sync"];
    let of = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
    assert_eq!(of(&same.compared.answered_routes), routes);
    assert_eq!(of(&same.compared.called_routes), routes);
    assert!(same.compared.checks > 20, "{}", same.compared.checks);
    let mut playing = JoinSet::new();
    let breaking = BREAKING.iter().map(|(name, rule)| (*name, Some(*rule)));
    for (name, rule) in breaking.chain(ADDITIONS.iter().map(|name| (*name, None))) {
        playing.spawn(async move { (name, rule, paired(Some(name)).await) });
    }
    while let Some(played) = playing.join_next().await {
        let (name, rule, comparison) = played.expect("it is played");
        let found: Vec<&str> = comparison.breaking.iter().map(|found| found.rule.id).collect();
        match rule {
            Some(rule) => {
                assert_eq!(comparison.verdict, Verdict::Breaking, "{name}");
                assert!(found.contains(&rule), "{name}: {found:?}");
            }
            None => assert_eq!(comparison.verdict, Verdict::Compatible, "{name}: {:#?}", comparison.breaking),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_cuts_and_delays_calls_and_restarts_and_the_two_federate_on() {
    let (first, second) = (targets("1.4.2", vec![]), targets("1.5.0", vec![]));
    let played = play_pair([&*first, &*second], ["first", "second"], Seed(1), LISTEN).await;
    let played = played.expect("a play");
    let passed = |name: &str, of: usize| -> Vec<Option<u64>> {
        let step = played.steps.iter().find(|step| step.name == name).expect(name);
        let of_step = played.views[of].passed.iter().filter(|(number, _)| *number == step.number);
        let calls = of_step.filter(|(_, template)| template.direction == Direction::FromTarget);
        calls.map(|(_, template)| template.status()).collect()
    };
    // A cut request never arrives; a cut answer was given, and never arrives.
    assert_eq!(passed("the proposer: heartbeat.send (whose connection is cut)", 0), []);
    assert_eq!(passed("the joiner: heartbeat.send (whose connection is cut)", 1), [Some(200)]);
    for (who, of) in [("the proposer", 0), ("the joiner", 1)] {
        for when in ["after a cut", "after a restart of the relay"] {
            assert_eq!(passed(&format!("{who}: heartbeat.send ({when})"), of), [Some(200)], "{who} {when}");
        }
    }
    assert_eq!(passed("the joiner: heartbeat.send (that is delayed)", 1), [Some(200)]);
    // The proposer revoked the joiner.
    assert_eq!(passed("the joiner: heartbeat.send (after the revocation)", 1), [Some(401)]);
    assert!(played.steps.iter().all(|step| step.outcome == StepOutcome::Done), "{:#?}", played.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_release_behind_a_url_is_held_to_the_checks_alone() {
    let (_server, url) = serve(Arc::new(AdapterServer::start(true).await)).await;
    let name = url.to_string();
    let http = Http::new(url, None, Some(TOKEN.to_owned()), Duration::from_secs(20));
    let old = PairTarget { name, targets: Arc::new(http), release: None, is_one: true };
    for (change, verdict) in
        [(None, Verdict::Compatible), (Some("release-requires-signed-accept"), Verdict::Breaking)]
    {
        let patches = change.map(|name| &release_change(name).expect(name).patch).into_iter().collect();
        let new = target("1.5.0", patches);
        let (rules, listen, seed) = (Choice::default(), LISTEN, SEED);
        let comparison = pair(&Pairing { old: old.clone(), new, rules, notice: None, listen, seed }).await;
        let comparison = comparison.expect("a comparison").comparison;
        assert_eq!(comparison.verdict, verdict, "{:#?}", comparison.breaking);
        let why = &comparison.not_recorded[0].why;
        assert!(why.contains("cannot federate with itself"), "{why}");
    }
}

/// Returns release 1.4.2, and a release that nobody names and that discloses none.
fn with_undisclosed() -> [PairTarget; 2] {
    let patch = defect("discloses-non-semver-version").expect("a defect");
    let undisclosed =
        PairTarget { release: None, name: "undisclosed".to_owned(), ..target("1.5.0", vec![patch]) };
    [target("1.4.2", vec![]), undisclosed]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_not_disclosed_is_not_taken_for_the_old_one() {
    let pairing = |old: &PairTarget, new: &PairTarget| Pairing {
        old: old.clone(),
        new: new.clone(),
        rules: Choice::default(),
        notice: None,
        listen: LISTEN,
        seed: SEED,
    };
    let [old, new] = with_undisclosed();
    let comparison = pair(&pairing(&old, &new)).await.expect("a comparison").comparison;
    assert_eq!((comparison.release.clone(), comparison.bump), (None, Bump::Unknown));
    let report = covenant::gate::text(&comparison);
    assert!(report.starts_with("a release that discloses none in a federation with 1.4.2"), "{report}");
    // Whatever the order in which they are named.
    for is_reversed in [false, true] {
        let mut targets = with_undisclosed();
        if is_reversed {
            targets.reverse();
        }
        let pairs = pair_each(&targets, pairing).await;
        assert_eq!((pairs.len(), pairs[0].new.release.clone()), (1, None));
        assert_eq!(pairs[0].verdict, MatrixVerdict::Breaking, "the form of its release changed");
    }
}

#[test]
fn the_program_pairs_two_releases_or_each_two_of_several() {
    let folder = tempfile::tempdir().expect("a folder");
    let gate = |more: &[&str]| {
        let output = covenant_in(folder.path(), &[&["gate"], more].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    };
    let old = ["--old", "reference:1.4.2"];
    let with = |more: &[&'static str]| gate(&[&old[..], more].concat());
    let (code, out, err) = with(&["--new", "reference:1.5.0", "--passed", "passed.jsonl"]);
    assert_eq!(code, 0, "{out}{err}");
    let passed = std::fs::read_to_string(folder.path().join("passed.jsonl")).expect("a file");
    let first: Value = serde_json::from_str(passed.lines().nth(1).expect("an entry")).expect("JSON");
    assert_eq!(first["play"], "paired/two-of-the-old-release");
    for text in
        ["paired/the-new-release-proposes", "/accept", "/sync", "/migrations", "\"seen_from\":\"joiner\""]
    {
        assert!(passed.contains(text), "{text}");
    }
    // The signature of a grant's token is masked.
    assert!(!passed.lines().any(|line| line.contains("Bearer fgs.")), "a token");
    assert!(out.starts_with("1.5.0 in a federation with 1.4.2, a minor bump: compatible"), "{out}");
    let change = "reference:1.5.0+release-counts-records-as-text";
    let (code, out, _) = with(&["--new", change, "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, &json["way"], &json["breaking"][0]["rule"]),
        (1, &json!("paired"), &json!("type-changed"))
    );
    let (code, out, _) = with(&["--new", change, "--except", "type-changed"]);
    assert!(code != 1 && out.contains("left out by --except: type-changed"), "{code}: {out}");
    let announced = "reference:2.0.0+release-counts-records-as-text";
    assert_eq!(with(&["--new", announced]).0, 1);
    let (code, out, _) = with(&["--new", announced, "--notice-given", "2020-01-01"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("announced") && out.contains("attested"), "{out}");
    let (code, out, _) = with(&["--new", "reference:1.3.0"]);
    assert_eq!(code, 7, "{out}");
    assert!(out.contains("name the release before"), "{out}");
    let (code, out, _) = gate(&["--matrix", "reference:1.5.0", "reference:1.4.0"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("1.5.0 in a federation with 1.4.0"), "{out}");
    let (code, _, err) = with(&["--new", "no-such-adapter"]);
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("no-such-adapter cannot be started"), "{err}");
    let (code, _, err) = with(&["--new", "reference", "--defect", "http1-only"]);
    assert!(code == 2 && err.contains("--defect is of no use with a pair"), "{err}");
}
