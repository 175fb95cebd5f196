//! Deviation: the peer does not disclose its data residency.

use super::{withhold, withhold_in_answer};
use crate::Behaviour;

/// Behaviour that omits the data residency from every request and response.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-residency",
    about: "omits its data residency from every request and answer",
    clauses: &["8.1", "E.3"],
    request: Some(|_, body| withhold(body, "data_residency")),
    answer: Some(|_, _, body| withhold_in_answer(body, "data_residency")),
    ..Behaviour::CONFORMING
};
