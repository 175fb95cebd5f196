//! The announcement that a grant was revoked.

use covenant_model::transcript::Exchange;
use covenant_model::wire::notice::kind;
use serde_json::Value;

/// Words by which a notice in a form that the binding does not know may mean the end of a grant.
const ENDS: [&str; 3] = ["revok", "withdraw", "terminat"];

/// Returns whether the target announces that this grant was revoked, or any grant if the id is unknown.
pub(super) fn announces_revocation(call: &Exchange, grant_id: Option<&str>) -> bool {
    let events = call.sent().and_then(|body| body["events"].as_array());
    events
        .into_iter()
        .flatten()
        .filter(|event| event["kind"] == kind::GRANT_REVOKED)
        .any(|event| grant_id.is_none_or(|id| event["payload"]["grant_id"] == id))
}

/// Returns whether the target announces that the peering ended, in either of the two forms.
pub(super) fn announces_end_of_peering(call: &Exchange) -> bool {
    let Some(body) = call.sent() else { return false };
    let mut events = body["events"].as_array().into_iter().flatten();
    body["status"] == "revoked" || events.any(|event| event["kind"] == kind::PEER_REVOKED)
}

/// Returns whether the target may announce that a grant was revoked, in a form that the binding does not know. An event
/// in the form of the binding about another grant that was revoked announces that one alone.
pub(super) fn may_announce_revocation(call: &Exchange, other_grants: &[&str]) -> bool {
    let Some(mut body) = call.sent().cloned() else { return false };
    if let Some(events) = body.get_mut("events").and_then(Value::as_array_mut) {
        let is_of_other = |event: &Value| {
            let id = event["payload"]["grant_id"].as_str();
            event["kind"] == kind::GRANT_REVOKED && id.is_some_and(|id| other_grants.contains(&id))
        };
        events.retain(|event| !is_of_other(event));
    }
    let text = body.to_string().to_lowercase();
    text.contains("grant") && ENDS.iter().any(|word| text.contains(word))
}
