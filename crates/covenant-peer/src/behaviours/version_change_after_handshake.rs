//! Deviation: after the handshake, the peer runs a version that is not compatible with the target's.

use crate::Behaviour;
use crate::versions::{replace_release, replace_release_in_answer, two_minors_off};
use covenant_model::wire::path::Route;

/// Behaviour that declares a compatible release in the handshake, and another release afterwards.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "version-change-after-handshake",
    about: "runs a release two minor versions away from its first heartbeat on, and a compatible one at the handshake",
    clauses: &["10.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Heartbeat) {
            replace_release(body, two_minors_off);
        }
    }),
    answer: Some(|asked, _, body| {
        if matches!(asked.route, Route::Heartbeat) {
            replace_release_in_answer(body, two_minors_off);
        }
    }),
    ..Behaviour::CONFORMING
};
