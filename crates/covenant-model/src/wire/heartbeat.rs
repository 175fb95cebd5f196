//! `POST /heartbeat` and `GET /trust_bundle` (`wire.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::disclosure::Disclosure;
use super::notice::Event;

/// Heartbeat. Every member is optional, and each one replaces the value that the receiver keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatRequest {
    /// A [`super::capability::CapabilityDocument`], or any other JSON that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// List of [`super::accept::Endpoint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Value>,
    /// Sync cursor, an opaque value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_cursor: Option<Value>,
    /// Extensions that the sender runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_slugs: Option<Value>,
    /// Version of the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// Data residency of the sender (8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// Disclosure of the sender (proposed; commitment 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// SHA-256 of the text of the agreed contract, in hex (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// Contract version that the sender declares to honour (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<Value>,
    /// Sender's view of the peering: `active` or `revoked` (proposed; 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Notices (proposed).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to a heartbeat, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatResponse {
    /// State of the peer.
    #[serde(default)]
    pub status: String,
    /// Time of the last heartbeat, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_at: Option<String>,
    /// Addresses of the responding side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub our_endpoints: Option<Value>,
    /// Compatibility of the two versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_compatibility: Option<SchemaCompatibility>,
    /// Disclosure of the responding side (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// Capabilities of the responding side (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// SHA-256 of the text of the agreed contract, in hex (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Result of the version rule (`wire.md` §6).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaCompatibility {
    /// Result: `compatible`, `degraded` or `incompatible`.
    #[serde(default)]
    pub status: String,
    /// Source of the result: `operator`, `default` or `implicit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Version of the responding side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_version: Option<Value>,
    /// Version of the caller, as the responding side recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_version: Option<Value>,
    /// Notes, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to `GET /trust_bundle`, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustBundle {
    /// Bundle of one or more certificate authorities.
    #[serde(default)]
    pub ca_bundle_pem: String,
    /// Time of generation, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
