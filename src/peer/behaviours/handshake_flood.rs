//! Floods the capabilities channel.

use crate::peer::Behaviour;

/// Shakes hands and sends heartbeats far more often than anyone needs; the scenario says how often.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "handshake-flood",
    about: "shakes hands and sends heartbeats far more often than anyone needs; the scenario says how often",
    clauses: &["6.1"],

    ..Behaviour::HONEST
};
