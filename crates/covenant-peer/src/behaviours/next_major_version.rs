//! Deviation: the peer runs a version that is not compatible with the target's.

use crate::Behaviour;
use crate::versions::{next_major, replace_release, replace_release_in_answer};
use covenant_model::wire::path::Route;

/// Behaviour that runs the next major release.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "next-major-version",
    about: "runs the next major release",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            replace_release(body, next_major);
        }
    }),
    answer: Some(|asked, _, body| {
        if matches!(asked.route, Route::Accept | Route::Heartbeat) {
            replace_release_in_answer(body, next_major);
        }
    }),
    ..Behaviour::CONFORMING
};
