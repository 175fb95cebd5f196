//! Deviation: the peer applies records with references before the records that they refer to.

use crate::Behaviour;

/// Behaviour that, as destination, applies the last step first, and loses the references to records that do
/// not exist yet.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "steps-out-of-order",
    about: "as destination applies the last step first and loses the references to records that do not exist yet",
    clauses: &["7.2", "7.4"],
    applies_backwards: true,
    ..Behaviour::CONFORMING
};
