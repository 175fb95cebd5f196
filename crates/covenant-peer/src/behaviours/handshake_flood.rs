//! Deviation: the peer floods the capabilities channel.

use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Number of calls of one route that is never a flood (`binding.md`, "Numbers").
const NEVER_TOO_MANY: u64 = 6;

/// Behaviour that repeats handshakes and heartbeats far more often than necessary. The scenario sets the
/// number.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "handshake-flood",
    about: "repeats handshakes and heartbeats far beyond the limits; the scenario sets how often",
    clauses: &["6.1"],
    oversteps: Some(|route, before| {
        matches!(route, Route::Accept | Route::Heartbeat) && before >= NEVER_TOO_MANY
    }),
    ..Behaviour::CONFORMING
};
