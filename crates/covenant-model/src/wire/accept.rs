//! `POST /accept`: the handshake (`powernode.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::disclosure::Disclosure;

/// What the joining side sends. Values that the contract checks (`contract_version`, `capabilities`)
/// stay as JSON: what is valid there is decided by a platform, not by a decoder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptRequest {
    /// 43 characters of URL-safe base64, single use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance_token: Option<Value>,
    /// The contract version that is acknowledged: a JSON integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<Value>,
    /// SHA-256 hex of that version's text (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// Extensions the caller runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_slugs: Option<Value>,
    /// A [`super::capability::CapabilityDocument`], or whatever stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// Where the caller can be reached: a list of [`Endpoint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Value>,
    /// The caller's disclosure (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// The caller's version, also here (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// The caller's residency, also here (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// A request that the receiver signs (G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr_pem: Option<Value>,
    /// The caller's own authority, for an exchange of trust (G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_ca_bundle_pem: Option<Value>,
    /// The CN that the receiver presents when it calls back (G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_inbound_subject: Option<Value>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where a platform can be reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// With or without the federation prefix.
    pub url: String,
    /// `lan`, `sdwan`, `wan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Smaller first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// What else was said (`cidr_hint`).
    #[serde(flatten)]
    pub extra: Extra,
}

impl Endpoint {
    /// Reads what stood in `endpoints`, passing over what is no endpoint, smallest priority first.
    #[must_use]
    pub fn read_list(value: &Value) -> Vec<Self> {
        let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut endpoints: Vec<Self> = rows.iter().filter_map(|row| Self::deserialize(row).ok()).collect();
        endpoints.sort_by_key(|endpoint| endpoint.priority.unwrap_or(i64::MAX));
        endpoints
    }
}

/// What the proposing side answers, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptResponse {
    /// The row that the answering side keeps for the caller.
    #[serde(default)]
    pub peer_id: String,
    /// The peer's state: `accepted`, `enrolled`.
    #[serde(default)]
    pub status: String,
    /// `platform` or `sdwan_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_kind: Option<String>,
    /// The version that both sides now reference (V.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version_agreed: Option<Value>,
    /// SHA-256 hex of that version's text (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_at: Option<String>,
    /// The signed request (G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation_certificate: Option<FederationCertificate>,
    /// The receiver's half of an exchange of trust (G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_exchange: Option<TrustExchange>,
    /// The answering side's disclosure (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// The answering side's capabilities (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// The answering side's version (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// The answering side's residency (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// Texts for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Value>,
    /// What else was said (`governance`, `node_enrollment`, `sdwan_attach`).
    #[serde(flatten)]
    pub extra: Extra,
}

/// A client certificate that the receiver signed for the caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FederationCertificate {
    /// The leaf.
    pub cert_pem: String,
    /// The receiver's authority.
    pub ca_chain_pem: String,
    /// Hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The receiver's authority, and the CN that the caller must present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustExchange {
    /// The receiver's authority.
    pub ca_bundle_pem: String,
    /// The whole CN, `fed:<peer_id>`.
    pub assigned_inbound_subject: String,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
