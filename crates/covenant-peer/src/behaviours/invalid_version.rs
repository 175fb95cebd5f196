//! Runs a version that does not go with the target's.

use super::{say_in_heartbeat, say_in_its_answer};
use crate::Behaviour;

/// Says that it runs what is no version at all.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "invalid-version",
    about: "says that it runs what is no version at all",
    clauses: &["10.1"],
    request: Some(|sending, body| say_in_heartbeat(sending.route, body, garbage)),
    answer: Some(|asked, _, body| say_in_its_answer(asked.route, body, garbage)),
    ..Behaviour::CONFORMING
};

fn garbage(_: &str) -> String {
    "latest-ish".to_owned()
}
