//! Deviation: the peer runs a version that is not compatible with the target's.

use super::{replace_version_in_answer, replace_version_in_heartbeat};
use crate::Behaviour;

/// Behaviour that declares its version with a leading `v`, as a tag has it. A version has none.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-with-leading-v",
    about: "states its platform version with a leading v, which is not a version",
    clauses: &["10.1"],
    request: Some(|sending, body| replace_version_in_heartbeat(sending.route, body, tag)),
    answer: Some(|asked, _, body| replace_version_in_answer(asked.route, body, tag)),
    ..Behaviour::CONFORMING
};

fn tag(release: &str) -> String {
    format!("v{release}")
}
