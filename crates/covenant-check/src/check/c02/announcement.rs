//! The announcement that a grant was revoked.

use serde_json::Value;

use crate::check::outcome::{Outcome, Stop};
use crate::check::query::{Call, CallQuery, calls, silence};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// Parts of words by which a notice in a form that the binding does not know may mean the end of a grant.
const ENDS: [&str; 6] = ["revok", "revoc", "withdraw", "terminat", "cancel", "rescind"];

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

/// Returns the outcome, where a breach is unproven if the target announced that it ended the peering by itself, in whatever form and
/// at whatever time, or if such a notice could not have arrived.
pub(in crate::check) fn unless_ended_with_notice(outcome: Outcome, trace: &Trace, peer: &str) -> Outcome {
    let Err(Stop::Broken(seen)) = outcome else { return outcome };
    let ends = |call: &Call<'_>| {
        (call.exchange.direction == Direction::FromTarget && announces_end_of_peering(call.exchange))
            || announcing(call).is_some_and(may_announce_end_of_peering)
    };
    let notice = calls(trace).of(peer).find(ends).map(|call| call.n());
    Err(match notice {
        Some(notice) => {
            let actual = "the target ended the peering by itself, and announced it";
            Stop::unproven(actual, seen.evidence.into_iter().chain([notice]))
        }
        None => silence(trace, peer, seen.actual, seen.evidence),
    })
}

/// Returns whether a body may announce that the peering ended, or was replaced by another one, in a form that the binding does not
/// know: by its status, or by the kind of an event about a peer.
pub(super) fn may_announce_end_of_peering(body: &Value) -> bool {
    const REPLACED: [&str; 2] = ["supersed", "replac"];
    const OF_PEERING: [&str; 3] = ["peer", "federation", "partner"];
    let ends = |text: &Value| {
        let text = text.as_str().unwrap_or_default().to_lowercase();
        let is_ended = text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "ended");
        (is_ended || ENDS.iter().chain(&REPLACED).any(|part| text.contains(part))).then_some(text)
    };
    let is_of_peering = |kind: String| OF_PEERING.iter().any(|part| kind.contains(part));
    let mut events = body["events"].as_array().into_iter().flatten();
    [&body["status"], &body["data"]["status"]].into_iter().any(|status| ends(status).is_some())
        || events.any(|event| ends(&event["kind"]).is_some_and(is_of_peering))
}

/// Returns the first of these calls by which the target may announce that a grant was revoked, in a form that the binding does not
/// know: a call of the target, or its answer to a heartbeat. An event in the form of the binding about another grant announces the
/// end of that one alone.
pub(super) fn unknown_announcement<'a>(
    mut calls: impl Iterator<Item = Call<'a>>,
    other_grants: &[&str],
) -> Option<u64> {
    let may_announce =
        |call: &Call<'_>| announcing(call).is_some_and(|body| may_announce_revocation(body, other_grants));
    calls.find(may_announce).map(|call| call.n())
}

/// Returns the body in which a call may announce something: that of a call of the target, or of its answer to a heartbeat.
pub(super) fn announcing<'a>(call: &Call<'a>) -> Option<&'a Value> {
    match call.exchange.direction {
        Direction::FromTarget => call.exchange.sent(),
        Direction::ToTarget => {
            let body = call.exchange.response.as_ref().and_then(|answer| answer.body.json());
            body.filter(|_| call.route() == Some(Route::Heartbeat) && call.exchange.succeeded())
        }
    }
}

fn may_announce_revocation(body: &Value, other_grants: &[&str]) -> bool {
    let mut body = body.clone();
    if let Some(events) = body.get_mut("events").and_then(Value::as_array_mut) {
        let is_of_other = |event: &Value| {
            let id = event["payload"]["grant_id"].as_str();
            event["kind"] == kind::GRANT_REVOKED && id.is_some_and(|id| other_grants.contains(&id))
        };
        events.retain(|event| !is_of_other(event));
    }
    let text = body.to_string().to_lowercase();
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    text.contains("grant")
        && (ENDS.iter().any(|part| text.contains(part)) || words.any(|word| word == "ended"))
}
