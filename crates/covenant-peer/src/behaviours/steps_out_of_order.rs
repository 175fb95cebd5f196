//! Applies what refers to others before what it refers to.

use crate::Behaviour;

/// As destination applies the last step first, and loses the references to what is not there yet.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "steps-out-of-order",
    about: "as destination applies the last step first, and loses the references to what is not there yet",
    clauses: &["7.2", "7.4"],
    applies_backwards: true,
    ..Behaviour::CONFORMING
};
