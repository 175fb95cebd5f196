//! Deviation: the peer applies a part of a migration and claims all of it.

use crate::Behaviour;

/// Behaviour that, as destination, applies all steps of a migration but the last, and claims all of them.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "partial-apply",
    about: "as destination applies all steps of a migration but the last and claims that it applied all",
    clauses: &["7.1", "7.2"],
    applies: Some(|place, count| place + 1 < count),
    ..Behaviour::CONFORMING
};
