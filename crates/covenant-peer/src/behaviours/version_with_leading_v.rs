//! Deviation: the peer runs a version that is not compatible with the target's.

use super::{say_in_heartbeat, say_in_its_answer};
use crate::Behaviour;

/// Behaviour that declares its version with a leading `v`, as a tag has it. A version has none.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-with-leading-v",
    about: "states its platform version with a leading v, which is not a version",
    clauses: &["10.1"],
    request: Some(|sending, body| say_in_heartbeat(sending.route, body, tag)),
    answer: Some(|asked, _, body| say_in_its_answer(asked.route, body, tag)),
    ..Behaviour::CONFORMING
};

fn tag(release: &str) -> String {
    format!("v{release}")
}
