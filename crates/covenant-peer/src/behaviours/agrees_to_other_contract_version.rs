//! Deviation: the peer answers a handshake with another contract version than the requested one.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that agrees to contract version 2 when the target asks for 1.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "agrees-to-other-contract-version",
    about: "agrees to contract version 2 when the target asks for version 1",
    clauses: &["12.1", "V.2"],
    answer: Some(|asked, status, body| {
        if matches!(asked.route, Route::Accept) && *status == 200 {
            body["data"]["contract_version_agreed"] = json!(2);
        }
    }),
    ..Behaviour::CONFORMING
};
