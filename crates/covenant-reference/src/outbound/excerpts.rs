//! Excerpts of a peer's audit: requested, promised, requested again, overdue (5.3, detection).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use url::form_urlencoded;

use super::outbound_call::{Called, call, call_with_query};
use crate::governance;
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::{ExcerptRequest, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::path::Route;

/// Time within which a peer must send an excerpt.
const DEADLINE: SignedDuration = SignedDuration::from_hours(72);
/// Time before that deadline at which the peer is asked for the last time.
const LAST_CALL: SignedDuration = SignedDuration::from_mins(1);

/// Asks a peer for its excerpt, or for the one that it promised. It stores a new promise.
pub(crate) async fn ask(
    platform: &Arc<Platform>,
    mut request: ExcerptRequest,
) -> Result<ExcerptRequest, MethodError> {
    let peer = platform.transaction::<_, MethodError>(|tx| {
        table::find::<Peer>(tx.db, &request.peer_id)?
            .ok_or_else(|| MethodError::not_found("peer", &request.peer_id))
    })?;
    let called = match &request.request_id {
        None => call(platform, &peer, &Route::AuditExcerpts, None, None).await?,
        Some(id) => {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("request_id", id).finish();
            call_with_query(platform, &peer, &Route::AuditExcerpts, &query).await?
        }
    };
    let data = called.data();
    request.asked_at = platform.clock.now();
    if called.status == Some(202) {
        let id = data["request_id"].as_str().map(ToOwned::to_owned);
        let due_at = data["due_at"].as_str().and_then(|text| text.parse().ok());
        request.request_id = id.or(request.request_id);
        request.due_at = due_at.or(request.due_at);
    }
    let contains_excerpt = (platform.policy.outbound.contains_excerpt)(&called);
    if contains_excerpt {
        request.answered_at = Some(request.asked_at);
    }
    platform.transaction::<_, MethodError>(|tx| {
        table::put(tx.db, &request)?;
        if contains_excerpt { Ok((tx.policy.outbound.store_excerpt)(tx, &data)?) } else { Ok(()) }
    })?;
    Ok(request)
}

/// Returns whether the response is a success and no promise.
pub(crate) fn contains_excerpt(called: &Called) -> bool {
    called.succeeded() && called.status != Some(202)
}

/// Asks again for promised excerpts: when they are due, and shortly before the 72 hours end.
pub(super) async fn ask_again(platform: &Arc<Platform>, until: Timestamp) {
    let open = platform.transaction::<_, MethodError>(|tx| {
        let mut requests: Vec<ExcerptRequest> = table::all(tx.db)?;
        requests.retain(|request| is_open(request) && is_request_due(request, until));
        Ok(requests)
    });
    for request in open.unwrap_or_default() {
        // An unreachable peer becomes overdue all the same.
        let _ = ask(platform, request).await;
    }
}

/// Reports each overdue excerpt once.
pub(super) fn note_overdue(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for mut request in table::all::<ExcerptRequest>(tx.db)? {
        if !is_open(&request) || !(tx.policy.outbound.is_overdue)(&request, tx.now) {
            continue;
        }
        request.reported_at = Some(tx.now);
        table::put(tx.db, &request)?;
        let facts = json!({"requested_at": request.requested_at.to_string()});
        let message = "a requested excerpt did not arrive within 72 hours";
        governance::raise(tx, &request.peer_id, &Suspicion::soft(finding::AUDIT_OVERDUE, message, facts))?;
    }
    Ok(())
}

/// Returns whether more than exactly 72 hours have passed.
pub(crate) fn is_overdue(request: &ExcerptRequest, now: Timestamp) -> bool {
    now.duration_since(request.requested_at) > DEADLINE
}

fn is_open(request: &ExcerptRequest) -> bool {
    request.answered_at.is_none() && request.reported_at.is_none()
}

/// Returns whether a request is due now. Each due time counts once, however often the timers run.
fn is_request_due(request: &ExcerptRequest, now: Timestamp) -> bool {
    let last_call = request.requested_at.checked_add(DEADLINE - LAST_CALL).ok();
    let due_times = [request.due_at, last_call].into_iter().flatten();
    due_times.into_iter().any(|due| request.asked_at < due && due <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_780_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(START + seconds).expect("a time")
    }

    fn requested(due_at: Option<Timestamp>) -> ExcerptRequest {
        ExcerptRequest {
            id: "r".to_owned(),
            peer_id: "p".to_owned(),
            requested_at: at(0),
            asked_at: at(0),
            request_id: None,
            due_at,
            answered_at: None,
            reported_at: None,
        }
    }

    #[test]
    fn a_peer_is_asked_at_the_promised_time_and_once_before_the_deadline() {
        let mut request = requested(Some(at(3600)));
        assert!(!is_request_due(&request, at(3599)));
        assert!(is_request_due(&request, at(3600)));
        request.asked_at = at(3600);
        assert!(!is_request_due(&request, at(7200)));
        assert!(is_request_due(&request, at(72 * 3600 - 60)));
        request.asked_at = at(72 * 3600 - 60);
        assert!(!is_request_due(&request, at(80 * 3600)));
    }

    #[test]
    fn an_excerpt_is_overdue_a_second_after_72_hours() {
        let request = requested(None);
        assert!(!is_overdue(&request, at(72 * 3600)));
        assert!(is_overdue(&request, at(72 * 3600 + 1)));
    }
}
