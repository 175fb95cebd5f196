//! The simulated way of the release gate.

use std::sync::Arc;
use std::time::Duration;

use covenant::contract::{HeldText, TextSource, V1_2026_05};
use covenant::gate::{Choice, SEED, Simulation, Verdict, simulate};
use covenant::reference::{Patch, defect};
use covenant::runner::{NoObserver, Plan, Target};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::program::covenant_in;

/// The number of releases that are played side by side. Each of them plays its scenarios side by side too.
const SIDE_BY_SIDE: usize = 2;

fn plan(patches: Vec<&'static Patch>) -> Plan {
    let mut plan = Plan { target: Target::Embedded(patches), ..Plan::default() };
    // The reference settles at once: what is not there by now never comes.
    plan.contract = Some(HeldText::known(&V1_2026_05, TextSource::User));
    plan.run_context.poll_timeout = Duration::from_secs(1);
    plan
}

async fn simulated(name: Option<&str>) -> Simulation {
    let patches = name.map(|name| defect(name).expect(name)).into_iter().collect();
    let simulated = simulate(&plan(patches), SEED, None, &Choice::default(), Arc::new(NoObserver)).await;
    simulated.expect("a simulation")
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
    let conforming = Box::pin(simulated(None)).await;
    assert_eq!(conforming.verdict, Verdict::Compatible, "{:#?}", conforming.breaking);
    assert!(conforming.not_compared.is_empty(), "{:#?}", conforming.not_compared);
    assert!(conforming.kept > 100, "{}", conforming.kept);
    let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut playing = JoinSet::new();
    let breaking = BREAKING.iter().map(|name| (*name, Verdict::Breaking));
    for (name, verdict) in breaking.chain(PERMITTED.iter().map(|name| (*name, Verdict::Compatible))) {
        let places = places.clone();
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            (name, verdict, Box::pin(simulated(Some(name))).await)
        });
    }
    while let Some(played) = playing.join_next().await {
        let (name, verdict, simulation) = played.expect("it is played");
        assert_eq!(simulation.verdict, verdict, "{name}: {:#?}", simulation.breaking);
        assert!(simulation.breaking.iter().all(|found| found.clause == Some("10.1")), "{name}");
    }
}

#[test]
fn the_program_simulates_the_neighbours_of_a_release() {
    let folder = tempfile::tempdir().expect("a folder");
    let gate = |more: &[&str]| {
        let arguments = ["gate", "--simulated", "--release", "1.5.0", "--quiet"];
        let output = covenant_in(folder.path(), &[&arguments[..], more].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), text)
    };
    let (code, out) = gate(&[]);
    assert_eq!(code, 0, "{out}");
    for text in ["1.5.0 among simulated neighbours: compatible", "1.4.9", "1.6.0-rc.1", "outsiders", "2.0.0"]
    {
        assert!(out.contains(text), "{text}: {out}");
    }
    let (code, out) = gate(&["--defect", "rejects-pre-release-versions"]);
    assert_eq!(code, 1, "{out}");
    for text in ["BREAKING", "check-broken", "neighbours/1.4.0-rc.1+build.7", "schema_compatibility"] {
        assert!(out.contains(text), "{text}: {out}");
    }
    let (code, out) = gate(&["--defect", "rejects-pre-release-versions", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["breaking"][0]["rule"]), (1, &json!("check-broken")));
    let (code, out) = gate(&["--defect", "rejects-pre-release-versions", "--except", "check-broken"]);
    assert!(code == 0 && out.contains("left out by --except, and nothing else breaks"), "{code}: {out}");
    // A release that no peer can accept breaks for each neighbour.
    let (code, out) = gate(&["--defect", "release-requires-signed-accept"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("scenario-ended") && out.contains("signature required"), "{out}");
}
