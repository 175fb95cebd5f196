//! Deviation: the peer runs a version that is not compatible with the target's.

use crate::Behaviour;
use crate::versions::{answer_instead, next_major, say_instead};
use covenant_model::wire::path::Route;

/// Behaviour that runs the next major release.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "next-major-version",
    about: "runs the next major release",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            say_instead(body, next_major);
        }
    }),
    answer: Some(|asked, _, body| {
        if matches!(asked.route, Route::Accept | Route::Heartbeat) {
            answer_instead(body, next_major);
        }
    }),
    ..Behaviour::CONFORMING
};
