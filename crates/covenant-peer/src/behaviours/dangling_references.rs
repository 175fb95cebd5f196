//! Deviation: the peer applies records with references, but not the records that they refer to.

use crate::Behaviour;

/// Behaviour that, as destination, skips the first of several steps, on which the others depend, and claims
/// all of them.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "dangling-references",
    about: "as destination leaves out the first of several dependent steps and claims that it applied all",
    clauses: &["7.2", "7.4"],
    applies: Some(|place, count| place > 0 || count == 1),
    ..Behaviour::CONFORMING
};
