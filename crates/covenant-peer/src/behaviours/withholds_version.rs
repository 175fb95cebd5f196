//! Deviation: the peer does not disclose its platform version.

use super::{withhold, withhold_in_answer};
use crate::Behaviour;

/// Behaviour that omits the platform version from every request and response.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-version",
    about: "omits its platform version from every request and answer",
    clauses: &["1.5"],
    request: Some(|_, body| withhold(body, "platform_version")),
    answer: Some(|_, _, body| withhold_in_answer(body, "platform_version")),
    ..Behaviour::CONFORMING
};
