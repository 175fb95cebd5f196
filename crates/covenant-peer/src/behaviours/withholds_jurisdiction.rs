//! Deviation: the peer does not disclose its jurisdiction.

use super::{withhold, withhold_in_answer};
use crate::Behaviour;

/// Behaviour that omits the jurisdiction from every request and response.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-jurisdiction",
    about: "omits its jurisdiction from every request and answer",
    clauses: &["1.5"],
    request: Some(|_, body| withhold(body, "jurisdiction")),
    answer: Some(|_, _, body| withhold_in_answer(body, "jurisdiction")),
    ..Behaviour::CONFORMING
};
