//! Deviation: the peer issues narrow grants by the hundred.

use super::many_wide_grants::issued;
use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Number of grants that one heartbeat reports. Four heartbeats exceed the limit (`binding.md`, "Numbers":
/// 100).
const GRANTS: u64 = 30;

/// Behaviour that reports grants of single records in every heartbeat but the first; no operator issued them.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "many-narrow-grants",
    about: "reports in every heartbeat but the first 30 grants of single records that no operator issued",
    clauses: &["6.2"],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat && sending.before > 0 {
            body["events"] = issued(sending, body, GRANTS, false);
        }
    }),
    ..Behaviour::CONFORMING
};
