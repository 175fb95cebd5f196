//! `GET /audit_excerpts` (`wire.md` §5, `binding.md`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::notice::Event;
use super::whole::whole;

/// Audit excerpt, in `data` of a 200. The `payload` of each entry has `federation_peer_id`, `remote_subject`
/// and `action` (5.1, 5.2; proposed).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditExcerpt {
    /// Id of the row of the asking peer.
    #[serde(default)]
    pub peer_id: String,
    /// Requested window.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub window: Value,
    /// Entries, oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Sealed shipments.
    #[serde(default)]
    pub shipments: Vec<Value>,
    /// Number of entries.
    #[serde(default, deserialize_with = "whole")]
    pub count: u64,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Promise of an excerpt, in `data` of a 202 (proposed). The caller asks again with `?request_id=`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditPromise {
    /// Id of the request, to ask again with.
    pub request_id: String,
    /// Due time, in RFC 3339, at most 72 hours away (5.3).
    pub due_at: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
