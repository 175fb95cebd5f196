//! Runs a version that does not go with the target's.

use super::{say_in_heartbeat, say_in_its_answer};
use crate::Behaviour;

/// Says its version with a letter before it, as a tag has it and no version.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-with-leading-v",
    about: "says the version that it runs with a v before it, which is none",
    clauses: &["10.1"],
    request: Some(|sending, body| say_in_heartbeat(sending.route, body, tag)),
    answer: Some(|asked, _, body| say_in_its_answer(asked.route, body, tag)),
    ..Behaviour::CONFORMING
};

fn tag(release: &str) -> String {
    format!("v{release}")
}
