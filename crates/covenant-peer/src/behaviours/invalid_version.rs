//! Deviation: the peer runs a version that is not compatible with the target's.

use super::{say_in_heartbeat, say_in_its_answer};
use crate::Behaviour;

/// Behaviour that declares a text that is not a version.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "invalid-version",
    about: "states a platform version that is not a version",
    clauses: &["10.1"],
    request: Some(|sending, body| say_in_heartbeat(sending.route, body, garbage)),
    answer: Some(|asked, _, body| say_in_its_answer(asked.route, body, garbage)),
    ..Behaviour::CONFORMING
};

fn garbage(_: &str) -> String {
    "latest-ish".to_owned()
}
