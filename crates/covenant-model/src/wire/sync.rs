//! `POST /sync`: a batch of a sync stream (proposed).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;
use super::canonical::{canonical_json, sha256_hex};

/// A batch, taken whole or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncBatch {
    /// `[a-z_]+`
    pub resource_kind: String,
    /// Where it joins on, and where it ends.
    pub cursor: Cursor,
    /// In the stream's order.
    pub records: Vec<SyncRecord>,
    /// Over the records' canonical JSON, lower-case hex.
    pub sha256: String,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

impl SyncBatch {
    /// The digest that belongs to these records.
    #[must_use]
    pub fn digest(records: &[SyncRecord]) -> String {
        let value = serde_json::to_value(records).expect("a record has text keys only");
        sha256_hex(canonical_json(&value))
    }
}

/// Opaque texts, written as integers beginning with `"0"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The end of the batch before.
    #[serde(default)]
    pub from: Value,
    /// The end of this one.
    #[serde(default)]
    pub to: Value,
}

/// Whether two cursors name the same place: it may be written as a text or as a number.
#[must_use]
pub fn is_same_place(one: &Value, other: &Value) -> bool {
    let text = |cursor: &Value| cursor.as_str().map_or_else(|| cursor.to_string(), ToOwned::to_owned);
    text(one) == text(other)
}

/// One changed record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// The record's id.
    pub id: String,
    /// RFC 3339.
    pub updated_at: String,
    /// The record.
    pub payload: Map<String, Value>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The answer to a batch, in `data` of 200.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SyncAnswer {
    /// How many records were taken.
    #[serde(default)]
    pub accepted: Value,
    /// Where the receiver now stands.
    #[serde(default)]
    pub cursor: Value,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
