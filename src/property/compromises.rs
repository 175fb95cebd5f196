//! Commitment 9: any time of detection, and any set of partners, some of which are down.

use proptest::prelude::*;
use serde_json::json;

use super::Property;
use super::build::{advance, check, declare, federate, operator, start, stop, titled};
use crate::contract::Aspect::Conduct;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, release};
use crate::scenario::format::Wait;
use crate::scenario::{Scenario, Step};

pub(super) const PROPERTY: Property = Property {
    name: "compromises",
    commitment: 9,
    about: "the target discloses a compromise to every partner within 24 hours of its detection, also to those that were down",
    edge_cases: Vec::new,
    scenarios,
    reduced: |_| None,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// The seconds before the end for which the scenario waits for a target that notifies from a queue.
const LAST_SECONDS: i64 = 5 * MINUTE;
/// The hours that the target has at least to notice that a partner is up again.
const LAST_HOURS: i64 = 1;

fn scenarios() -> BoxedStrategy<Scenario> {
    // The hours between detection and declaration, and the hours that each partner is down.
    (0..18_i64, proptest::collection::vec(proptest::option::of(1..6_i64), 1..5))
        .prop_map(|(before, partners)| scenario(before, &partners))
        .boxed()
}

fn scenario(before: i64, partners: &[Option<i64>]) -> Scenario {
    // A target that doubles its pauses retries after twice the time at the latest.
    let last = (24 - before - LAST_HOURS) / 2;
    let names: Vec<String> = (0..partners.len()).map(|place| format!("partner-{place}")).collect();
    let partners = || names.iter().zip(partners);
    let mut scenario = titled("A generated compromise").peers(&names).step(declare("skill"));
    for (name, down) in partners() {
        scenario = scenario.step(federate(name)).steps(down.map(|_| stop(name)));
    }
    let detected_at = format!("${{now-{}}}", before * HOUR + MINUTE);
    let with = json!({ "kind": "intrusion", "detected_at": detected_at, "summary": "a stolen key" });
    scenario = scenario.step(operator(release::DeclareCompromise::METHOD, with).labelled("declared"));
    for hour in 1..=23 - before {
        let up = partners().filter(|(_, down)| down.is_some_and(|down| down.min(last) == hour));
        scenario = scenario.step(advance(HOUR)).steps(up.map(|(name, _)| start(name)));
    }
    scenario
        .step(advance(HOUR - MINUTE - LAST_SECONDS))
        .step(Step::Wait(Wait {
            peer: names[0].clone(),
            also: names[1..].to_vec(),
            notice: Some("platform.peer.compromised".to_owned()),
            ..Wait::default()
        }))
        .step(advance(2 * LAST_SECONDS))
        .check(check(
            (Commitment(9), 1, Conduct),
            "compromise-is-disclosed-in-time",
            "every partner hears of a compromise within 24 hours of its detection",
            json!({ "declare": "declared" }),
        ))
}
