//! `POST /accept`: the handshake (`wire.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::disclosure::Disclosure;
use super::whole::maybe_whole;

/// Request of the joining side. Values that the contract checks (`contract_version`, `capabilities`) stay as
/// JSON: a platform checks if they are valid, and the decoder does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptRequest {
    /// Acceptance token: 43 characters of URL-safe base64, for single use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance_token: Option<Value>,
    /// Contract version that the caller acknowledges: a JSON integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<Value>,
    /// SHA-256 of the text of that version, in hex (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// Extensions that the caller runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_slugs: Option<Value>,
    /// A [`super::capability::CapabilityDocument`], or any other JSON that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// Addresses of the caller: a list of [`Endpoint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Value>,
    /// Disclosure of the caller (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// Version of the caller, repeated here (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// Data residency of the caller, repeated here (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// Certificate request that the receiver signs (from G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr_pem: Option<Value>,
    /// Certificate authority of the caller, for an exchange of trust (from G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_ca_bundle_pem: Option<Value>,
    /// CN that the receiver presents when it calls the caller (from G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_inbound_subject: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Address of a platform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// URL, with or without the federation prefix.
    pub url: String,
    /// Network scope: `lan`, `sdwan` or `wan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Priority; a smaller number comes first.
    #[serde(default, deserialize_with = "maybe_whole", skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Other members, such as `cidr_hint`.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Endpoint {
    /// Reads the value of `endpoints`, smallest priority first. Items that are not endpoints are ignored.
    #[must_use]
    pub fn read_list(value: &Value) -> Vec<Self> {
        let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut endpoints: Vec<Self> = rows.iter().filter_map(|row| Self::deserialize(row).ok()).collect();
        endpoints.sort_by_key(|endpoint| endpoint.priority.unwrap_or(i64::MAX));
        endpoints
    }
}

/// Response of the proposing side, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptResponse {
    /// Id of the row that the responding side keeps for the caller.
    #[serde(default)]
    pub peer_id: String,
    /// State of the peer: `accepted` or `enrolled`.
    #[serde(default)]
    pub status: String,
    /// Kind of the peer: `platform` or `sdwan_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_kind: Option<String>,
    /// Version that both sides now reference (V.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version_agreed: Option<Value>,
    /// SHA-256 of the text of that version, in hex (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_digest: Option<Value>,
    /// Time of acceptance, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<String>,
    /// Time of the handshake, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_at: Option<String>,
    /// Certificate for the signed request (from G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation_certificate: Option<FederationCertificate>,
    /// Receiver's half of an exchange of trust (from G2 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_exchange: Option<TrustExchange>,
    /// Disclosure of the responding side (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Disclosure>,
    /// Capabilities of the responding side (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
    /// Version of the responding side (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// Data residency of the responding side (proposed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// Warnings for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Value>,
    /// Other members, such as `governance`, `node_enrollment` and `sdwan_attach`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Client certificate that the receiver signed for the caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FederationCertificate {
    /// Leaf certificate.
    pub cert_pem: String,
    /// Certificate authority of the receiver.
    pub ca_chain_pem: String,
    /// Serial number, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// End of validity, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Certificate authority of the receiver, and the CN that the caller must present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustExchange {
    /// Certificate authority of the receiver.
    pub ca_bundle_pem: String,
    /// Whole CN, `fed:<peer_id>`.
    pub assigned_inbound_subject: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
