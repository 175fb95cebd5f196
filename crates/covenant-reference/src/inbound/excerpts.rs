//! `GET /audit_excerpts`: the asking peer's own interactions only (5.4).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{InboundCall, InboundError, Reply};
use crate::store::rows::AuditEntry;
use crate::store::{StoreError, facts, table};

const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);
const DEFAULT_LIMIT: usize = 1000;
const LIMIT_MAX: usize = 5000;

/// Answers at once, or promises the excerpt for later if the policy sets a delay.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Result<Reply, InboundError> {
    if !(inbound.tx.policy.history.is_open_to)(inbound.peer.status) {
        let text = "Audit excerpts available only to peers in active status";
        return Err(Reply::bare_failure(403, text).refused());
    }
    let delay = (inbound.tx.policy.history.excerpt_delay)(inbound.tx, &inbound.peer.id);
    match (parameter(inbound, "request_id"), delay) {
        (Some(id), _) => keep_promise(inbound, &id),
        (None, Some(delay)) => promise(inbound, delay),
        (None, None) => Ok(excerpt(inbound, &inbound.peer.id, &Query::read(inbound)?)?),
    }
}

fn excerpt(inbound: &InboundCall<'_>, peer_id: &str, query: &Query) -> Result<Reply, StoreError> {
    let tx = inbound.tx;
    let entries = (tx.policy.history.select_entries)(peer_id, table::all(tx.db)?);
    let belongs = |entry: &&AuditEntry| {
        (tx.policy.history.belongs_to)(tx, entry, peer_id)
            && (tx.policy.history.is_within)(query.since, query.until, entry.at)
    };
    let events: Vec<Value> = entries.iter().filter(belongs).take(query.limit).map(event).collect();
    let count = events.len();
    let end =
        |time: Timestamp, asked: &Option<String>| (tx.policy.history.state_time)(time, asked.as_deref());
    let [since, until] = &query.asked;
    Ok(Reply::success(&json!({
        "peer_id": inbound.peer.id,
        "window": {"since": end(query.since, since), "until": end(query.until, until)},
        "events": events, "shipments": [], "count": count,
    })))
}

/// Answers 202. The promise keeps the window of this request, whenever the excerpt is sent.
fn promise(inbound: &InboundCall<'_>, delay: SignedDuration) -> Result<Reply, InboundError> {
    let query = Query::read(inbound)?;
    let due_at = inbound.tx.now.saturating_add(delay).unwrap_or(Timestamp::MAX);
    let request_id = inbound.tx.new_id();
    let promise = Promise { peer_id: inbound.peer.id.clone(), due_at, query };
    facts::set(inbound.tx.db, &promise_name(&request_id), &json!(promise))?;
    Ok(promised(&request_id, due_at))
}

fn keep_promise(inbound: &InboundCall<'_>, id: &str) -> Result<Reply, InboundError> {
    let kept = facts::find(inbound.tx.db, &promise_name(id))?;
    let promise = kept.and_then(|kept| Promise::deserialize(kept).ok());
    let is_due = |promise: &Promise| (inbound.tx.policy.history.is_due)(promise.due_at, inbound.tx.now);
    let is_promised_to = inbound.tx.policy.history.is_promised_to;
    match promise.filter(|promise| is_promised_to(&promise.peer_id, &inbound.peer.id)) {
        None => Err(Reply::failure(404, "no such request").refused()),
        Some(promise) if !is_due(&promise) => Ok(promised(id, promise.due_at)),
        Some(promise) => Ok(excerpt(inbound, &promise.peer_id, &promise.query)?),
    }
}

fn promised(request_id: &str, due_at: Timestamp) -> Reply {
    let data = json!({"request_id": request_id, "due_at": due_at.to_string()});
    Reply { status: 202, ..Reply::success(&data) }
}

fn promise_name(id: &str) -> String {
    format!("excerpt/{id}")
}

/// Returns an audit entry in the platform's event shape.
fn event(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id, "kind": entry.action, "severity": "low", "emitted_at": entry.at.to_string(),
        "correlation_id": entry.correlation_id, "source": "federation",
        "payload": {
            "federation_peer_id": entry.federation_peer_id, "remote_subject": entry.remote_subject,
            "action": entry.action, "direction": entry.direction, "route": entry.route, "status": entry.status,
        },
    })
}

/// A promised excerpt.
#[derive(Serialize, Deserialize)]
struct Promise {
    peer_id: String,
    due_at: Timestamp,
    query: Query,
}

/// The requested window: `since` ≤ t < `until`, oldest first.
#[derive(Serialize, Deserialize)]
struct Query {
    since: Timestamp,
    until: Timestamp,
    limit: usize,
    /// The texts of the ends in the request.
    asked: [Option<String>; 2],
}

impl Query {
    fn read(inbound: &InboundCall<'_>) -> Result<Self, InboundError> {
        let invalid = |name: &str| Reply::failure(422, format!("{name} is invalid")).refused();
        let read_time = inbound.tx.policy.history.read_time;
        let time = |name: &str| {
            parameter(inbound, name).map(|text| read_time(&text).ok_or_else(|| invalid(name))).transpose()
        };
        // Entries of the current second are within the default window, too.
        let now = inbound.tx.now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let until = time("until")?.unwrap_or(now);
        let since =
            time("since")?.unwrap_or_else(|| until.saturating_sub(DEFAULT_WINDOW).unwrap_or(Timestamp::MIN));
        if until <= since {
            return Err(Reply::failure(422, "until must be after since").refused());
        }
        let limit = match parameter(inbound, "limit") {
            Some(text) => text.parse().map_err(|_| invalid("limit"))?,
            None => DEFAULT_LIMIT,
        };
        let asked = ["since", "until"].map(|name| parameter(inbound, name));
        Ok(Self { since, until, limit: limit.min(LIMIT_MAX), asked })
    }
}

fn parameter(inbound: &InboundCall<'_>, name: &str) -> Option<String> {
    let query = inbound.call.query.as_deref().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
