//! Deviation: the peer issues few grants at once, and many in an hour.

use super::many_wide_grants::issued;
use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Number of wide grants that one heartbeat reports: half of what is never too many (`binding.md`, "Numbers").
const GRANTS: u64 = 5;

/// Behaviour that reports five wide grants in every heartbeat but the first.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "grants-in-each-heartbeat",
    about: "reports in every heartbeat but the first five grants of all records of a kind that no operator issued",
    clauses: &["6.2"],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat && sending.before > 0 {
            body["events"] = issued(sending, body, GRANTS, true);
        }
    }),
    ..Behaviour::CONFORMING
};
