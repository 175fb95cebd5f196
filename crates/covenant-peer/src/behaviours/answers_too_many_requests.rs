//! Choice: the peer answers every heartbeat with 429. This is valid; checks evaluate the reaction of the target.

use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Behaviour that refuses every heartbeat of the target as one too many.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "answers-too-many-requests",
    about: "answers every heartbeat with 429, which shows how often the target retries",
    clauses: &[],
    refuses: Some(|route, _| (*route == Route::Heartbeat).then_some(429)),
    ..Behaviour::CONFORMING
};
