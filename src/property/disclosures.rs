//! Commitment 1: any incomplete disclosure.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::File;

pub(super) const PROPERTY: Property = Property {
    name: "disclosures",
    commitment: 1,
    about: "the target enrols no peer whose disclosure has a missing, blank or malformed member",
    edge_cases: Vec::new,
    scenarios,
};

/// The members of a disclosure, each with the behaviour that withholds it.
const MEMBERS: [(&str, &str); 4] = [
    ("operator_contact", "withholds-contact"),
    ("jurisdiction", "withholds-jurisdiction"),
    ("platform_version", "withholds-version"),
    ("last_known_good_release", "withholds-last-good-release"),
];

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Right,
    Withheld,
    /// A wrong text. A free text is wrong only if it is blank.
    Wrong(&'static str),
}

fn scenarios() -> BoxedStrategy<String> {
    let member = |place: usize| {
        let wrong: Vec<&'static str> = match place {
            0 => vec!["", "   ", "\\t", "call us", "@"],
            2 => vec!["", "1", "1.2", "v1.4.0", "latest", "1.4.0.0", "01.2.3"],
            _ => vec!["", " ", "\\n"],
        };
        prop_oneof![3 => Just(Said::Right), 1 => Just(Said::Withheld), 1 => select(wrong).prop_map(Said::Wrong)]
    };
    let all = (member(0), member(1), member(2), member(3)).prop_map(|(a, b, c, d)| [a, b, c, d]);
    // A complete disclosure is the positive control of every case.
    let partial = (all, 0..MEMBERS.len()).prop_map(|(mut said, first)| {
        if said.iter().all(|said| *said == Said::Right) {
            said[first] = Said::Withheld;
        }
        file(&said)
    });
    partial.boxed()
}

fn file(said: &[Said; 4]) -> String {
    let members = || MEMBERS.iter().zip(said);
    let behaviours: Vec<String> = members()
        .filter(|(_, said)| **said == Said::Withheld)
        .map(|((_, behaviour), _)| format!("\"{behaviour}\""))
        .collect();
    let wrong = |(member, said): (&'static str, &Said)| match said {
        Said::Wrong(text) => Some(format!("{member} = \"{text}\"")),
        _ => None,
    };
    let metadata: Vec<String> = members().filter_map(|((member, _), said)| wrong((member, said))).collect();
    let version = match &said[2] {
        Said::Wrong(text) => format!("platform_version = \"{text}\", "),
        _ => String::new(),
    };
    let partial = format!(
        "{{ peer = \"partial\", as = \"partial\", with = {{ {version}metadata = {{ {} }} }} }}",
        metadata.join(", ")
    );
    File::new("A generated disclosure", "intrusive = true")
        .peer("whole", "")
        .peer("partial", &format!("behaviours = [{}]", behaviours.join(", ")))
        .declare()
        .step("propose = { peer = \"whole\", as = \"invited-whole\" }")
        .step("accept = { peer = \"whole\" }")
        .step("heartbeat = { peer = \"whole\" }")
        .step("operator = { method = \"peer.show\", with = { peer_id = \"${invited-whole.peer_id}\" }, as = \"shown-whole\" }")
        .step("propose = { peer = \"partial\", as = \"invited\" }")
        .step(format!("accept = {partial}"))
        .step(format!("heartbeat = {partial}"))
        .step("operator = { method = \"peer.show\", with = { peer_id = \"${invited.peer_id}\" }, as = \"shown\" }")
        .check(
            ("1.5", "detection"),
            "anonymous-peer-is-not-enrolled",
            "the target does not enrol a peer that does not disclose all four members",
            "call = \"partial\", snapshot = [\"shown\"], control = \"shown-whole\"",
        )
        .text()
}
