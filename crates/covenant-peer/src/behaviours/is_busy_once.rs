//! Choice: the peer is busy when the second batch of a sync arrives. This is valid; checks evaluate whether the batch comes
//! again.

use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Behaviour that refuses the second batch with 503, and takes every other one.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "is-busy-once",
    about: "answers the second batch of a sync with 503, and takes it when it comes again",
    clauses: &[],
    refuses: Some(|route, before| (*route == Route::Sync && before == 1).then_some(503)),
    ..Behaviour::CONFORMING
};
