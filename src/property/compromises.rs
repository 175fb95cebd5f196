//! Commitment 9: any time of detection, and any set of partners, some of which are down.

use proptest::prelude::*;

use super::Property;
use super::file::File;

pub(super) const PROPERTY: Property = Property {
    name: "compromises",
    commitment: 9,
    about: "the target discloses a compromise to every partner within 24 hours of its detection, also to those that were down",
    edge_cases: Vec::new,
    scenarios,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// The seconds before the end for which the scenario waits for a target that notifies from a queue.
const LAST_SECONDS: i64 = 5 * MINUTE;
/// The hours that the target has at least to notice that a partner is up again.
const LAST_HOURS: i64 = 1;

fn scenarios() -> BoxedStrategy<String> {
    // The hours between detection and declaration, and the hours that each partner is down.
    (0..18_i64, proptest::collection::vec(proptest::option::of(1..6_i64), 1..5))
        .prop_map(|(before, partners)| file(before, &partners))
        .boxed()
}

fn file(before: i64, partners: &[Option<i64>]) -> String {
    let name = |place: usize| format!("partner-{place}");
    // A target that doubles its pauses retries after twice the time at the latest.
    let last = (24 - before - LAST_HOURS) / 2;
    let names: Vec<String> = (0..partners.len()).map(name).collect();
    let mut file = File::new("A generated compromise", "");
    for name in &names {
        file = file.peer(name, "");
    }
    file = file.declare();
    for (place, down) in partners.iter().enumerate() {
        file = file.step(format!("federate = {{ peer = \"{}\" }}", name(place)));
        if down.is_some() {
            file = file.step(format!("stop = {{ peer = \"{}\" }}", name(place)));
        }
    }
    file = file.step(format!(
        "operator = {{ method = \"compromise.declare\", with = {{ kind = \"intrusion\", detected_at = \"${{now-{}}}\", \
         summary = \"a stolen key\" }}, as = \"declared\" }}",
        before * HOUR + MINUTE
    ));
    for hour in 1..=23 - before {
        file = file.step(format!("advance = {{ seconds = {HOUR} }}"));
        for (place, down) in partners.iter().enumerate() {
            if down.is_some_and(|down| down.min(last) == hour) {
                file = file.step(format!("start = {{ peer = \"{}\" }}", name(place)));
            }
        }
    }
    let (first, others) = (&names[0], &names[1..]);
    file.step(format!("advance = {{ seconds = {} }}", HOUR - MINUTE - LAST_SECONDS))
        .step(format!(
            "wait = {{ peer = {first:?}, also = {others:?}, notice = \"platform.peer.compromised\" }}"
        ))
        .step(format!("advance = {{ seconds = {} }}", 2 * LAST_SECONDS))
        .check(
            ("9.1", "conduct"),
            "compromise-is-disclosed-in-time",
            "every partner hears of a compromise within 24 hours of its detection",
            "declare = \"declared\"",
        )
        .text()
}
