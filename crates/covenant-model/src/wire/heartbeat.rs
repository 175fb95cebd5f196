//! `POST /heartbeat` and `GET /trust_bundle` (`powernode.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::disclosure::Disclosure;
use super::notice::Event;

/// A heartbeat: every member is optional, and each replaces what was kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatRequest {
    /// A [`super::capability::CapabilityDocument`], or whatever stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// A list of [`super::accept::Endpoint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Value>,
    /// Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_cursor: Option<Value>,
    /// Extensions the sender runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_slugs: Option<Value>,
    /// The sender's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// Where the sender keeps data (8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// The sender's disclosure (proposed; commitment 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// SHA-256 hex of the agreed contract's text (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// The contract version the sender says it honours (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<Value>,
    /// The sender's view of the peering: `active`, `revoked` (proposed; 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Notices (proposed).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The answer to a heartbeat, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatResponse {
    /// The peer's state.
    #[serde(default)]
    pub status: String,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_at: Option<String>,
    /// Where the answering side can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub our_endpoints: Option<Value>,
    /// How the two versions go together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_compatibility: Option<SchemaCompatibility>,
    /// The answering side's disclosure (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// The answering side's capabilities (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// SHA-256 hex of the agreed contract's text (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The version rule's outcome (`powernode.md` §6).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaCompatibility {
    /// `compatible`, `degraded`, `incompatible`.
    #[serde(default)]
    pub status: String,
    /// `operator`, `default`, `implicit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The answering side's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_version: Option<Value>,
    /// The caller's version, as it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_version: Option<Value>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Value>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The answer to `GET /trust_bundle`, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustBundle {
    /// One or more authorities.
    #[serde(default)]
    pub ca_bundle_pem: String,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
