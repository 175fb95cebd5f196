//! Choice: the peer issues a few grants. This is valid, however wide they are.

use super::many_wide_grants::issued;
use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Largest number of grants that never exceeds the limit (`binding.md`, "Numbers").
const GRANTS: u64 = 10;

/// Behaviour that reports ten wide grants once, in its second heartbeat.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "ten-grants",
    about: "reports ten grants of all records of a kind in its second heartbeat, which is within the limits",
    clauses: &[],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat && sending.before == 1 {
            body["events"] = issued(sending, body, GRANTS, true);
        }
    }),
    ..Behaviour::CONFORMING
};
