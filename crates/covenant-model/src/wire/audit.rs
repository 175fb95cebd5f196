//! `GET /audit_excerpts` (`powernode.md` §5, `binding.md`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::notice::Event;

/// An excerpt, in `data` of 200. Each entry's `payload` has `federation_peer_id`, `remote_subject`
/// and `action` (5.1, 5.2; proposed).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditExcerpt {
    /// The asking peer's row.
    #[serde(default)]
    pub peer_id: String,
    /// The window asked for.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub window: Value,
    /// The entries, oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Sealed shipments.
    #[serde(default)]
    pub shipments: Vec<Value>,
    /// How many entries.
    #[serde(default)]
    pub count: u64,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A promise of an excerpt, in `data` of 202 (proposed). Asked again with `?request_id=`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditPromise {
    /// What to ask again with.
    pub request_id: String,
    /// RFC 3339, at most 72 hours away (5.3).
    pub due_at: String,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
