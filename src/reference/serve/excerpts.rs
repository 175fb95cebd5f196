//! `GET /audit_excerpts`: the asking peer's own interactions, and no one else's (5.4).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Fault, Reply, Visit};
use crate::reference::store::rows::AuditEntry;
use crate::reference::store::table;
use crate::wire::state::PeerStatus;

const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);
const DEFAULT_LIMIT: usize = 1000;
const LIMIT_MAX: usize = 5000;

/// Answers at once: nothing is promised for later.
pub(super) fn answer(visit: &Visit<'_>) -> Result<Reply, Fault> {
    if visit.peer.status != PeerStatus::Active {
        let text = "Audit excerpts available only to peers in active status";
        return Err(Reply::bare_failure(403, text).refused());
    }
    let act = visit.act;
    let query = Query::read(visit)?;
    let entries: Vec<AuditEntry> = table::all(act.db)?;
    let belongs = |entry: &&AuditEntry| {
        (act.rules.audit.belongs_to)(entry, &visit.peer.id)
            && query.since <= entry.at
            && entry.at < query.until
    };
    let events: Vec<Value> = entries.iter().filter(belongs).take(query.limit).map(event).collect();
    let count = events.len();
    Ok(Reply::success(&json!({
        "peer_id": visit.peer.id,
        "window": {"since": query.since.to_string(), "until": query.until.to_string()},
        "events": events, "shipments": [], "count": count,
    })))
}

/// An audit entry in the platform's event shape.
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

/// What was asked for; `since` ≤ t < `until`, oldest first.
struct Query {
    since: Timestamp,
    until: Timestamp,
    limit: usize,
}

impl Query {
    fn read(visit: &Visit<'_>) -> Result<Self, Fault> {
        let invalid = |name: &str| Reply::failure(422, format!("{name} is invalid")).refused();
        let query = visit.call.query.clone().unwrap_or_default();
        let find = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let time =
            |name: &str| find(name).map(|text| read_time(&text).ok_or_else(|| invalid(name))).transpose();
        // What happens in this very second is within the default window, too.
        let now = visit.act.now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let until = time("until")?.unwrap_or(now);
        let since =
            time("since")?.unwrap_or_else(|| until.saturating_sub(DEFAULT_WINDOW).unwrap_or(Timestamp::MIN));
        if until <= since {
            return Err(Reply::failure(422, "until must be after since").refused());
        }
        let limit = match find("limit") {
            Some(text) => text.parse().map_err(|_| invalid("limit"))?,
            None => DEFAULT_LIMIT,
        };
        Ok(Self { since, until, limit: limit.min(LIMIT_MAX) })
    }
}

/// RFC 3339, or a bare date; a plus sign that the query turned into a space is taken back.
fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.replace(' ', "+");
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}
