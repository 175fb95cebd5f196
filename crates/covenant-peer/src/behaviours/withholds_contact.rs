//! Deviation: the peer does not disclose its operator contact.

use super::{withhold, withhold_in_answer};
use crate::Behaviour;

/// Behaviour that omits the operator contact from every request and response.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-contact",
    about: "omits its operator contact from every request and answer",
    clauses: &["1.5"],
    request: Some(|_, body| withhold(body, "operator_contact")),
    answer: Some(|_, _, body| withhold_in_answer(body, "operator_contact")),
    ..Behaviour::CONFORMING
};
