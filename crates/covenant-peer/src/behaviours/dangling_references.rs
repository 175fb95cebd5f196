//! Applies what refers to others, and not what it refers to.

use crate::Behaviour;

/// As destination leaves out the first step of several, on which the others rest, and claims them all.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "dangling-references",
    about: "as destination leaves out the first step of several, on which the others rest, and claims them all",
    clauses: &["7.2", "7.4"],
    applies: Some(|place, count| place > 0 || count == 1),
    ..Behaviour::CONFORMING
};
