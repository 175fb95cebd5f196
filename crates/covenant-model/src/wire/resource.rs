//! `GET /resources/:kind/:id` (`powernode.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;

/// What is said of one resource, in `data`. Absent is 200 with `exists: false`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceView {
    /// The kind asked for.
    #[serde(default)]
    pub kind: String,
    /// The id asked for.
    #[serde(default)]
    pub id: String,
    /// Whether there is one.
    #[serde(default)]
    pub exists: bool,
    /// The account it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The grant that let the caller in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<String>,
    /// The record, where the platform shares it (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Map<String, Value>>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
