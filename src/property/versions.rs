//! Commitment 10: any pair of platform versions.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::Property;
use super::build::{accept, check, declare, heartbeat, object, peer, propose, titled};
use crate::contract::Aspect::{Conduct, Detection};
use crate::contract::Basis;
use crate::contract::Section::Commitment;
use crate::scenario::CheckSpec;
use crate::scenario::format::Scan;
use crate::scenario::{PeerSpec, Scenario, Step};

pub(super) const PROPERTY: Property = Property {
    name: "versions",
    commitment: 10,
    about: "the target works with every compatible version, and reports every other as incompatible",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

fn scenarios() -> BoxedStrategy<Scenario> {
    let minor = || prop_oneof![3 => 0..4_u64, 2 => 8..12_u64, 1 => 98..102_u64];
    let core = move || {
        (1..3_u64, minor(), 0..12_u64).prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"))
    };
    let tail = select(vec!["", "", "", "-rc.1", "-alpha", "+build.7", "-rc.1+build.7"]);
    let near = (minor(), -2..=2_i64, 0..9_u64, tail).prop_map(|(minor, off, patch, tail)| {
        (format!("1.{minor}.0"), format!("1.{}.{patch}{tail}", minor.saturating_add_signed(off)))
    });
    let any = (core(), core());
    let garbage =
        (core(), select(vec!["v1.4.0", "1", "1.4", "latest", "1.4.x", "one", "1.04.0", "1.4.0.0", "∞"]))
            .prop_map(|(ours, theirs)| (ours, theirs.to_owned()));
    prop_oneof![5 => near, 2 => any, 1 => garbage]
        .prop_map(|(ours, theirs)| scenario(Some(&ours), &theirs))
        .boxed()
}

/// Returns the edge cases: two compatible versions, and two incompatible ones, also with a target that
/// reports its own release; two that are compatible as numbers and not as texts; and a text that looks like a
/// version and is none.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let pairs = [
        (None, "${release.minor_after}"),
        (None, "${release.next_major}"),
        (Some("1.9.0"), "1.10.2"),
        (Some("1.10.2"), "1.9.0"),
        (Some("1.4.0"), "v1.4.0"),
    ];
    pairs.map(|(ours, theirs)| Just(scenario(ours, theirs)).boxed()).into()
}

fn scenario(ours: Option<&str>, theirs: &str) -> Scenario {
    let settings = ours.map(|ours| object(json!({ "release": ours }))).unwrap_or_default();
    let work = json!({ "call": "accepted", "probe": "alive", "accept": "accepted", "control": "control" });
    let answered = |compatible: bool| json!({ "call": "alive", "compatible": compatible });
    Scenario { intrusive: true, settings, ..titled("A generated pair of versions") }
        .peer(running("alice", theirs))
        .peer(ours.map_or_else(|| peer("control"), |ours| running("control", ours)))
        .step(declare("skill"))
        .steps([propose("control"), accept("control").labelled("control"), heartbeat("control")])
        .step(propose("alice"))
        .step(accept("alice").labelled("accepted"))
        .step(heartbeat("alice").labelled("alive"))
        .step(Step::Scan(Scan {
            until_about: None,
            and_about: vec![],
            until_kind: None,
            label: "scanned".to_owned(),
        }))
        .step(heartbeat("alice").labelled("alive"))
        .check(observed(check(
            (Commitment(10), 1, Conduct),
            "compatible-versions-federate",
            "the same minor version, the one before and the one after work together",
            work,
        )))
        .check(observed(check(
            (Commitment(10), 1, Conduct),
            "compatibility-is-answered",
            "the same minor version, the one before and the one after are answered as compatible",
            answered(true),
        )))
        .check(observed(check(
            (Commitment(10), 1, Detection),
            "compatibility-is-answered",
            "a version further off, or a text that is no version, is answered as incompatible",
            answered(false),
        )))
}

/// Returns a check that rests on the observed wire.
fn observed(check: CheckSpec) -> CheckSpec {
    CheckSpec { basis: Basis::Observed, ..check }
}

/// Returns a peer that runs a version.
fn running(name: &str, version: &str) -> PeerSpec {
    let profile = object(json!({ "platform_version": version, "last_known_good_release": version }));
    PeerSpec { profile, ..peer(name) }
}
