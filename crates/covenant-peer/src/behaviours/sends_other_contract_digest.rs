//! Deviation: the peer names the right contract version with another text.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::json;

/// Behaviour that sends the digest of another text under the right contract version.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "sends-other-contract-digest",
    about: "sends the digest of another text with the right contract version",
    clauses: &["V.2"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept) {
            body["contract_digest"] = json!("ee".repeat(32));
        }
    }),
    answer: Some(|asked, status, body| {
        if matches!(asked.route, Route::Accept) && *status == 200 {
            body["data"]["contract_digest"] = json!("ee".repeat(32));
        }
    }),
    ..Behaviour::CONFORMING
};
