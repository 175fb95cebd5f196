//! Deviation: the peer runs a version that is not compatible with the target's.

use crate::Behaviour;
use crate::versions::{replace_release, replace_release_in_answer, two_minors_off};
use covenant_model::wire::path::Route;

/// Behaviour that runs a release two minor versions away.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-two-minors-away",
    about: "runs a release two minor versions away: behind, or ahead if the minor is below 2",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            replace_release(body, two_minors_off);
        }
    }),
    answer: Some(|asked, _, body| {
        if matches!(asked.route, Route::Accept | Route::Heartbeat) {
            replace_release_in_answer(body, two_minors_off);
        }
    }),
    ..Behaviour::CONFORMING
};
