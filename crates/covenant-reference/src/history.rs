//! Audit entries (commitment 5) and events for the operator.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::policy::policy;
use super::store::rows::{AuditEntry, Direction, Grant, OperatorEvent};
use super::store::{StoreError, table};
use super::transaction::Transaction;
use covenant_model::wire::state::PeerStatus;

policy! {
    /// The policy of the audit.
    Policy {
        /// Policy hook on an entry before it is written. `None` suppresses the entry.
        override_entry: fn(&Transaction<'_>, AuditEntry) -> Option<AuditEntry> = |_, entry| Some(entry),
        /// Returns who acted under a grant: its own subject (5.2).
        choose_subject: fn(&Transaction<'_>, Grant) -> Result<String, StoreError> = |_, grant| Ok(grant.remote_subject),
        /// Returns the peer to whose account a call is written, by its caller and the owner of the grant that it names: the
        /// caller (5.1).
        choose_account: fn(&str, Option<&str>) -> String = |caller, _| caller.to_owned(),
        /// Returns a second entry to write with an entry. The default writes none.
        derive_extra_entry: fn(&AuditEntry) -> Option<AuditEntry> = |_| None,
        /// Returns the delay for which an excerpt is promised to this peer (5.3). `None` if it is sent at once.
        excerpt_delay: fn(&Transaction<'_>, &str) -> Option<SignedDuration> = |_, _| None,
        /// Returns whether a promised excerpt is sent, by the promised time and the present one (5.3).
        is_due: fn(Timestamp, Timestamp) -> bool = |due_at, now| now >= due_at,
        /// Returns whether the excerpt that was promised to the first peer is sent to the second, who asks for it (5.4).
        is_promised_to: fn(&str, &str) -> bool = |promised, asking| promised == asking,
        /// Returns the entries from which the excerpt of this peer is taken: all of them (5.4).
        select_entries: fn(&str, Vec<AuditEntry>) -> Vec<AuditEntry> = |_, entries| entries,
        /// Returns whether a peer in this state may have an excerpt.
        is_open_to: fn(PeerStatus) -> bool = |status| status == PeerStatus::Active,
        /// Returns whether an entry belongs in this peer's excerpt (5.4).
        belongs_to: fn(&Transaction<'_>, &AuditEntry, &str) -> bool = belongs_to,
        /// Returns the moment that an end of a requested window names (5.3). `None` refuses the request.
        read_time: fn(&str) -> Option<Timestamp> = read_time,
        /// Returns an end of a window as an excerpt states it, by the moment and by the text of the request (5.4).
        state_time: fn(Timestamp, Option<&str>) -> String = |time, _| time.to_string(),
        /// Returns whether a time is within a window, by its ends (5.4).
        is_within: fn(Timestamp, Timestamp, Timestamp) -> bool = is_within,
    }
}

/// Returns whether the entry is about the asking peer.
pub(crate) fn belongs_to(_: &Transaction<'_>, entry: &AuditEntry, peer_id: &str) -> bool {
    entry.federation_peer_id == peer_id
}

/// Parses RFC 3339 or a bare date. It restores a plus sign that the query decoding turned into a space.
pub(crate) fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.replace(' ', "+");
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

/// Returns whether the time is from the first end on, and before the second.
pub(crate) fn is_within(since: Timestamp, until: Timestamp, at: Timestamp) -> bool {
    since <= at && at < until
}

/// The facts of one action, as the audit entry states them.
pub(crate) struct Action<'a> {
    pub(crate) peer_id: &'a str,
    /// Subject of the grant that carried the call, else the CN (`binding.md`, "Remote subject").
    pub(crate) remote_subject: &'a str,
    pub(crate) name: &'a str,
    pub(crate) direction: Direction,
    pub(crate) route: &'a str,
    /// HTTP status. `None` if no response came.
    pub(crate) status: Option<u16>,
}

/// Writes the audit entry of one cross-peer action: exactly one for each.
pub(crate) fn audit(tx: &Transaction<'_>, action: &Action<'_>) -> Result<(), StoreError> {
    let entry = AuditEntry {
        id: tx.new_id(),
        at: tx.now,
        federation_peer_id: action.peer_id.to_owned(),
        remote_subject: action.remote_subject.to_owned(),
        action: action.name.to_owned(),
        direction: action.direction,
        route: action.route.to_owned(),
        status: action.status,
        correlation_id: tx.correlation_id.clone(),
    };
    if let Some(beside) = (tx.policy.history.derive_extra_entry)(&entry) {
        table::put(tx.db, &AuditEntry { id: tx.new_id(), ..beside })?;
    }
    match (tx.policy.history.override_entry)(tx, entry) {
        Some(entry) => table::put(tx.db, &entry),
        None => Ok(()),
    }
}

/// Writes an event for the operator.
pub(crate) fn event(
    tx: &Transaction<'_>,
    kind: &str,
    severity: &str,
    peer_id: Option<&str>,
    payload: Value,
) -> Result<(), StoreError> {
    let event = OperatorEvent {
        id: tx.new_id(),
        kind: kind.to_owned(),
        severity: severity.to_owned(),
        emitted_at: tx.now,
        correlation_id: tx.correlation_id.clone(),
        source: "federation".to_owned(),
        federation_peer_id: peer_id.map(ToOwned::to_owned),
        payload,
    };
    table::put(tx.db, &event)
}
