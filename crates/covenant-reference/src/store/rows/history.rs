//! Rows of the history: audit entries, events for the operator, findings and the breaches that they count as.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Direction;

/// One cross-peer action (commitment 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) federation_peer_id: String,
    pub(crate) remote_subject: String,
    /// Name of the action, such as `federation.resources`, with the suffix `.sent` if this platform called.
    pub(crate) action: String,
    pub(crate) direction: Direction,
    pub(crate) route: String,
    /// The HTTP status of the response. `None` if no response came.
    pub(crate) status: Option<u16>,
    pub(crate) correlation_id: String,
}

/// An event that the operator reads with `event.list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OperatorEvent {
    pub(crate) id: String,
    /// Dotted name of the event.
    pub(crate) kind: String,
    pub(crate) severity: String,
    pub(crate) emitted_at: Timestamp,
    pub(crate) correlation_id: String,
    pub(crate) source: String,
    pub(crate) federation_peer_id: Option<String>,
    pub(crate) payload: Value,
}

/// An act or a state of a peer that is against the contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) severity: String,
    pub(crate) federation_peer_id: Option<String>,
    pub(crate) message: String,
    /// The hard commitments that it counts against.
    pub(crate) commitments: Vec<u8>,
    pub(crate) payload: Value,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    /// Number of times that it was raised.
    pub(crate) count: u64,
}

/// One breach of a hard norm by one peer (E.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Breach {
    pub(crate) id: String,
    pub(crate) peer_id: String,
    /// The commitment.
    pub(crate) norm: u8,
    pub(crate) finding: String,
    pub(crate) at: Timestamp,
}
