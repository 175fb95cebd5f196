//! `POST /sync`: a batch of a sync stream (proposed).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;
use super::canonical::{canonical_json, sha256_hex};

/// Batch, accepted completely or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncBatch {
    /// Kind of the records: `[a-z_]+`.
    pub resource_kind: String,
    /// Start and end of the batch in the stream.
    pub cursor: Cursor,
    /// Records, in the order of the stream.
    pub records: Vec<SyncRecord>,
    /// SHA-256 of the canonical JSON of the records, lower-case hex.
    pub sha256: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

impl SyncBatch {
    /// Returns the digest of these records.
    #[must_use]
    pub fn digest(records: &[SyncRecord]) -> String {
        let value = serde_json::to_value(records).expect("a record has text keys only");
        sha256_hex(canonical_json(&value))
    }
}

/// Start and end of a batch: opaque texts, written as integers that begin with `"0"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// End of the batch before.
    #[serde(default)]
    pub from: Value,
    /// End of this batch.
    #[serde(default)]
    pub to: Value,
}

/// Returns whether two cursors name the same position. A cursor may be a text or a number.
#[must_use]
pub fn is_same_place(one: &Value, other: &Value) -> bool {
    let text = |cursor: &Value| cursor.as_str().map_or_else(|| cursor.to_string(), ToOwned::to_owned);
    text(one) == text(other)
}

/// One changed record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// Id of the record.
    pub id: String,
    /// Time of the change, in RFC 3339.
    pub updated_at: String,
    /// Content of the record.
    pub payload: Map<String, Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to a batch, in `data` of a 200.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SyncAnswer {
    /// Number of accepted records.
    #[serde(default)]
    pub accepted: Value,
    /// Position of the receiver in the stream after the batch.
    #[serde(default)]
    pub cursor: Value,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
