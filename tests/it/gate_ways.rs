//! The simulated way of the release gate.

use covenant::gate::{Verdict, simulation_text};
use serde_json::{Value, json};

use crate::held::{each_has_its_verdict, simulated};
use crate::program::covenant_in;

/// Releases that a neighbour cannot live with, or that an outsider crashes: one for each thing that a neighbour does.
/// `gate_ways` of `platforms` plays more.
const BREAKING: [&str; 4] = [
    "requires-equal-patch-version",
    "aborts-join-of-adjacent-minor",
    "discards-adjacent-minor-migrations",
    "fails-at-heartbeat-of-incompatible-peer",
];

/// A release that serves outsiders, which the contract permits.
const PERMITTED: &str = "accepts-any-major-version";

#[tokio::test(flavor = "multi_thread")]
async fn each_release_that_refuses_a_neighbour_breaks_and_one_that_serves_outsiders_does_not() {
    let conforming = Box::pin(simulated(None)).await;
    assert_eq!(conforming.verdict, Verdict::Compatible, "{:#?}", conforming.breaking);
    assert!(conforming.not_compared.is_empty(), "{:#?}", conforming.not_compared);
    assert!(conforming.kept > 100, "{}", conforming.kept);
    let report = simulation_text(&conforming);
    for text in ["1.4.0 among simulated neighbours: compatible", "1.3.9", "1.5.0-rc.1", "outsiders", "2.0.0"]
    {
        assert!(report.contains(text), "{text}: {report}");
    }
    let breaking = BREAKING.into_iter().map(|name| (name, Verdict::Breaking));
    each_has_its_verdict(breaking.chain([(PERMITTED, Verdict::Compatible)])).await;
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
    let (code, out) = gate(&["--defect", "rejects-pre-release-versions"]);
    assert_eq!(code, 1, "{out}");
    for text in ["BREAKING", "check-broken", "neighbours/1.4.0-rc.1+build.7", "schema_compatibility"] {
        assert!(out.contains(text), "{text}: {out}");
    }
    let (code, out) = gate(&["--defect", "rejects-pre-release-versions", "--except", "check-broken"]);
    assert!(code == 0 && out.contains("left out by --except, and nothing else breaks"), "{code}: {out}");
    // A release that no peer can accept breaks for each neighbour.
    let (code, out) = gate(&["--defect", "release-requires-signed-accept"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("scenario-ended") && out.contains("signature required"), "{out}");
    let (code, out) = gate(&["--defect", "release-requires-signed-accept", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["breaking"][0]["rule"]), (1, &json!("scenario-ended")));
}
