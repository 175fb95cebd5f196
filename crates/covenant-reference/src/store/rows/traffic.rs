//! Rows of traffic: migrations, sync streams, notices, requested excerpts, compromises.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use covenant_model::wire::migration::{Conflict, MigrationRequest};
use covenant_model::wire::notice::Event;

/// The direction of a transfer, as seen from this platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// The peer called.
    Inbound,
    /// This platform called.
    Outbound,
}

/// A migration, inbound or outbound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Migration {
    /// This platform's own id, in either direction.
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) direction: Direction,
    /// The destination's id, if this platform is the source.
    pub(crate) remote_migration_id: Option<String>,
    pub(crate) plan: MigrationRequest,
    /// `transferring`, `completed`, `failed` or `cancelled`.
    pub(crate) status: String,
    pub(crate) applied_count: u64,
    pub(crate) skipped_count: u64,
    pub(crate) conflict_log: Vec<Conflict>,
    /// The log of the migration, in order: {`at`, `event`, …}.
    pub(crate) audit_log: Vec<Value>,
    /// `cross_jurisdiction` if a boundary was crossed (8.3).
    pub(crate) metadata: Map<String, Value>,
    /// The grant under which it arrived.
    pub(crate) grant_id: Option<String>,
    pub(crate) opened_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// The position of a sync stream of one kind with one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stream {
    /// `<direction>/<peer>/<kind>`
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) resource_kind: String,
    pub(crate) direction: Direction,
    /// The last batch's `to`.
    pub(crate) cursor: Value,
    pub(crate) updated_at: Timestamp,
}

/// A notice that a peer is owed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) event: Event,
    /// The heartbeat `status` that is sent with it (`revoked`, 4.2), if there is one.
    pub(crate) status: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) due_at: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) delivered_at: Option<Timestamp>,
}

/// An excerpt that was requested from a peer (5.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExcerptRequest {
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) requested_at: Timestamp,
    /// The time of the last request to the peer.
    pub(crate) asked_at: Timestamp,
    /// The id under which the peer promised it.
    pub(crate) request_id: Option<String>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) reported_at: Option<Timestamp>,
}

/// A compromise of this platform that its operator declared (9.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compromise {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) detected_at: Timestamp,
    pub(crate) summary: String,
    pub(crate) declared_at: Timestamp,
}
