//! Writing down what happened: audit entries (commitment 5) and events for the operator.

use jiff::SignedDuration;
use serde_json::Value;

use super::act::Act;
use super::rules::rules;
use super::store::rows::{AuditEntry, Direction, OperatorEvent};
use super::store::{StoreError, table};

rules! {
    /// Decisions of the audit.
    Rules {
        /// Last word on an entry before it is written; `None` writes nothing.
        amend_entry: fn(AuditEntry) -> Option<AuditEntry> = Some,
        /// What is written beside an entry: nothing.
        beside: fn(&AuditEntry) -> Option<AuditEntry> = |_| None,
        /// How long an excerpt is promised for later (5.3); `None` answers at once.
        excerpt_delay: Option<SignedDuration> = None,
        /// Whether an entry belongs into the excerpt of this peer (5.4).
        belongs_to: fn(&Act<'_>, &AuditEntry, &str) -> bool = belongs_to,
    }
}

/// Only the asking peer's own interactions.
pub(crate) fn belongs_to(_: &Act<'_>, entry: &AuditEntry, peer_id: &str) -> bool {
    entry.federation_peer_id == peer_id
}

/// What an audit entry says of one action.
pub(crate) struct Action<'a> {
    pub(crate) peer_id: &'a str,
    /// That of the grant that carried the call, else the CN (`binding.md`, "Readings").
    pub(crate) remote_subject: &'a str,
    pub(crate) name: &'a str,
    pub(crate) direction: Direction,
    pub(crate) route: &'a str,
    /// `None` where no answer came.
    pub(crate) status: Option<u16>,
}

/// Writes the audit entry of one cross-peer action: exactly one for each.
pub(crate) fn audit(act: &Act<'_>, action: &Action<'_>) -> Result<(), StoreError> {
    let entry = AuditEntry {
        id: act.new_id(),
        at: act.now,
        federation_peer_id: action.peer_id.to_owned(),
        remote_subject: action.remote_subject.to_owned(),
        action: action.name.to_owned(),
        direction: action.direction,
        route: action.route.to_owned(),
        status: action.status,
        correlation_id: act.correlation_id.clone(),
    };
    if let Some(beside) = (act.rules.audit.beside)(&entry) {
        table::put(act.db, &AuditEntry { id: act.new_id(), ..beside })?;
    }
    match (act.rules.audit.amend_entry)(entry) {
        Some(entry) => table::put(act.db, &entry),
        None => Ok(()),
    }
}

/// Writes an event that the operator can see.
pub(crate) fn event(
    act: &Act<'_>,
    kind: &str,
    severity: &str,
    peer_id: Option<&str>,
    payload: Value,
) -> Result<(), StoreError> {
    let event = OperatorEvent {
        id: act.new_id(),
        kind: kind.to_owned(),
        severity: severity.to_owned(),
        emitted_at: act.now,
        correlation_id: act.correlation_id.clone(),
        source: "federation".to_owned(),
        federation_peer_id: peer_id.map(ToOwned::to_owned),
        payload,
    };
    table::put(act.db, &event)
}
