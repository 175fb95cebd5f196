//! Commitment 1: any incomplete disclosure.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::Property;
use super::build::{accept, check, declare, heartbeat, operator, peer, propose, titled};
use crate::contract::Aspect::Detection;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, peer};
use crate::scenario::{CheckSpec, PeerSpec, Scenario, Step};
use crate::transcript::Addition;

pub(super) const PROPERTY: Property = Property {
    name: "disclosures",
    commitment: 1,
    about: "the target enrols no peer whose disclosure has a missing, blank or malformed member",
    edge_cases: Vec::new,
    scenarios,
    reduced: |_| None,
};

/// The members of a disclosure, each with the behaviour that withholds it.
const MEMBERS: [(&str, &str); 4] = [
    ("operator_contact", "withholds-contact"),
    ("jurisdiction", "withholds-jurisdiction"),
    ("platform_version", "withholds-version"),
    ("last_known_good_release", "withholds-last-good-release"),
];

/// A blank that is not ASCII.
const NO_BREAK_SPACE: &str = "\u{a0}";

#[derive(Clone, Debug, PartialEq)]
enum Disclosed {
    Right,
    Withheld,
    /// A wrong text. A free text is wrong only if it is blank.
    Wrong(&'static str),
}

fn scenarios() -> BoxedStrategy<Scenario> {
    let member = |place: usize| {
        let wrong: Vec<&'static str> = match place {
            0 => vec!["", "   ", "\t", NO_BREAK_SPACE, "call us", "@"],
            2 => {
                vec!["", "1", "1.2", "v1.4.0", "latest", "1.4.0.0", "01.2.3", "1.4.0-", "1.4.0-01", "1.4.0+"]
            }
            _ => vec!["", " ", "\n", NO_BREAK_SPACE],
        };
        prop_oneof![3 => Just(Disclosed::Right), 1 => Just(Disclosed::Withheld), 1 => select(wrong).prop_map(Disclosed::Wrong)]
    };
    let all = (member(0), member(1), member(2), member(3)).prop_map(|(a, b, c, d)| [a, b, c, d]);
    // A complete disclosure is the positive control of every case.
    let partial = (all, 0..MEMBERS.len()).prop_map(|(mut disclosed, first)| {
        if disclosed.iter().all(|disclosed| *disclosed == Disclosed::Right) {
            disclosed[first] = Disclosed::Withheld;
        }
        scenario(&disclosed)
    });
    partial.boxed()
}

fn scenario(disclosed: &[Disclosed; 4]) -> Scenario {
    let partial = PeerSpec { behaviours: withheld(disclosed), ..peer("partial") };
    let wrong = wrong(disclosed);
    let mut with = json!({ "metadata": wrong });
    if let Some(version) = wrong.get("platform_version") {
        with["platform_version"] = version.clone();
    }
    Scenario { intrusive: true, ..titled("A generated disclosure") }
        .peers(["whole"])
        .peer(partial)
        .step(declare("skill"))
        .step(propose("whole").labelled("invited-whole"))
        .step(accept("whole"))
        .step(heartbeat("whole"))
        .step(show("${invited-whole.peer_id}").labelled("shown-whole"))
        .step(propose("partial").labelled("invited"))
        .step(accept("partial").with(with.clone()).labelled("partial"))
        .step(heartbeat("partial").with(with).labelled("partial"))
        .step(show("${invited.peer_id}").labelled("shown"))
        .check(CheckSpec { rests_on: vec![Addition::Metadata], ..enrolment() })
}

/// Returns the check of the peer that discloses less than all.
fn enrolment() -> CheckSpec {
    check(
        (Commitment(1), 5, Detection),
        "anonymous-peer-is-not-enrolled",
        "the target does not enrol a peer that does not disclose all four members",
        json!({ "call": "partial", "snapshot": ["shown"], "control": "shown-whole" }),
    )
}

fn show(peer_id: &str) -> Step {
    operator(peer::Show::METHOD, json!({ "peer_id": peer_id }))
}

/// Returns the behaviours that withhold members.
fn withheld(disclosed: &[Disclosed; 4]) -> Vec<String> {
    let withheld = MEMBERS.iter().zip(disclosed).filter(|(_, disclosed)| **disclosed == Disclosed::Withheld);
    withheld.map(|((_, behaviour), _)| (*behaviour).to_owned()).collect()
}

/// Returns the wrong texts, by member.
fn wrong(disclosed: &[Disclosed; 4]) -> Map<String, Value> {
    let wrong = |((member, _), disclosed): (&(&str, &str), &Disclosed)| match disclosed {
        Disclosed::Wrong(text) => Some(((*member).to_owned(), json!(text))),
        Disclosed::Right | Disclosed::Withheld => None,
    };
    MEMBERS.iter().zip(disclosed).filter_map(wrong).collect()
}
