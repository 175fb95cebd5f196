//! Issues narrow grants by the hundred.

use super::many_wide_grants::issued;
use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Grants that it tells of in one heartbeat: a mass in four of them (`binding.md`, Numbers: 100).
const GRANTS: u64 = 30;

/// Tells in every heartbeat but the first of grants of single records, issued by no operator's hand.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "many-narrow-grants",
    about: "tells in every heartbeat but the first of 30 grants of single records, issued by no operator's hand",
    clauses: &["6.2"],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat && sending.before > 0 {
            body["events"] = issued(sending, GRANTS, false);
        }
    }),
    ..Behaviour::CONFORMING
};
