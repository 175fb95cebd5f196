//! `GET /resources/:kind/:id` (`wire.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;

/// Description of one resource, in `data`. For an absent resource the response is 200 with `exists: false`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceView {
    /// Requested kind.
    #[serde(default)]
    pub kind: String,
    /// Requested id.
    #[serde(default)]
    pub id: String,
    /// `true` if the resource exists.
    #[serde(default)]
    pub exists: bool,
    /// Id of the account that owns the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Id of the grant that admitted the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Time of the read, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<String>,
    /// Record, if the platform shares it (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Map<String, Value>>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
