//! Deviation: the peer does not disclose its last known-good release.

use super::{withhold, withhold_in_answer};
use crate::Behaviour;

/// Behaviour that omits the last known-good release from every request and response.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-last-good-release",
    about: "omits its last known-good release from every request and answer",
    clauses: &["1.5"],
    request: Some(|_, body| withhold(body, "last_known_good_release")),
    answer: Some(|_, _, body| withhold_in_answer(body, "last_known_good_release")),
    ..Behaviour::CONFORMING
};
