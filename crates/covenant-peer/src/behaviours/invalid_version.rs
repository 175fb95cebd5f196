//! Deviation: the peer runs a version that is not compatible with the target's.

use super::{replace_version_in_answer, replace_version_in_heartbeat};
use crate::Behaviour;

/// Behaviour that declares a text that is not a version.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "invalid-version",
    about: "states a platform version that is not a version",
    clauses: &["10.1"],
    request: Some(|sending, body| replace_version_in_heartbeat(sending.route, body, garbage)),
    answer: Some(|asked, _, body| replace_version_in_answer(asked.route, body, garbage)),
    ..Behaviour::CONFORMING
};

fn garbage(_: &str) -> String {
    "latest-ish".to_owned()
}
