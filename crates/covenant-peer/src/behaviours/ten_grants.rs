//! Issues a few grants: valid, however wide they are.

use super::many_wide_grants::issued;
use crate::Behaviour;
use covenant_model::wire::path::Route;

/// As many as are never too many (`binding.md`, Numbers).
const GRANTS: u64 = 10;

/// Tells once, in its second heartbeat, of ten wide grants.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "ten-grants",
    about: "tells in its second heartbeat of ten grants of whole kinds: as many as are never too many",
    clauses: &[],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat && sending.before == 1 {
            body["events"] = issued(sending, GRANTS, true);
        }
    }),
    ..Behaviour::CONFORMING
};
