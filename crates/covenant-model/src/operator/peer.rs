//! `peer.*`, `heartbeat.send` and `overlay.list`: one peering, from the proposal to the exit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::method::methods;
use super::{Done, Example, Extra, Listed};
use crate::contract::Basis;

methods! {
    /// Methods about peerings.
    PeerMethod in Peer {
        "peer.propose" => Propose -> Proposed {
            required: true,
            basis: Basis::Observed,
            prompt: Some("Propose a platform peer at this address."),
            example: Example {
                parameters: r#"{"remote_instance_url": "https://peer.example"}"#,
                result: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "acceptance_token": "pv1Jc3ZJmL0s3bB5mE7k0A"}"#,
            },
        }
        "peer.join" => Join -> Joined {
            prompt: Some("Join the peer at this address with this acceptance token."),
            example: Example {
                parameters: r#"{"base_url": "https://peer.example", "acceptance_token": "k3Qy7m0c9T", "ca_bundle_pem": "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n"}"#,
                result: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a2"}"#,
            },
        }
        "peer.show" => Show -> Shown {
            basis: Basis::Observed,
            prompt: Some("Read what the platform shows about this peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"peer": {"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "status": "active", "contract_version_agreed": 1, "contract_digest": "39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7", "data_residency": "eu"}}"#,
            },
        }
        "peer.list" => List -> Listed<Peers> {
            basis: Basis::Observed,
            example: Example {
                parameters: "{}",
                result: r#"{"peers": [{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "status": "active"}]}"#,
            },
        }
        "peer.suspend" => Suspend -> Done {
            basis: Basis::Observed,
            prompt: Some("Suspend this peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "reason": "a review"}"#,
                result: "{}",
            },
        }
        "peer.resume" => Resume -> Done {
            prompt: Some("End the suspension of this peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "reason": "the review is over"}"#,
                result: "{}",
            },
        }
        "peer.revoke" => Revoke -> Done {
            basis: Basis::Observed,
            prompt: Some("Revoke this peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "reason": "we leave"}"#,
                result: "{}",
            },
        }
        "heartbeat.send" => SendHeartbeat -> HeartbeatSent {
            basis: Basis::Observed,
            prompt: Some("Let the platform send a heartbeat to this peer now."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"sent": {"status": "active"}, "answered": 200}"#,
            },
        }
        "overlay.list" => ListOverlay -> Listed<Addresses> {
            prompt: Some("Which overlay addresses are mounted for this peer?"),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"addresses": ["fd00::a1"]}"#,
            },
        }
    }
}

/// Proposes a peering with the platform at an address, and issues the token with which that platform accepts.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// The address of the peer, without the prefix of the routes.
    #[schemars(url)]
    pub remote_instance_url: String,
    /// The role of the peer, as the platform knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawn_role: Option<String>,
    /// The way in which the peer was created, as the platform knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawn_mode: Option<String>,
    /// The kind of peer, as the platform knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_kind: Option<String>,
    /// The lifetime of the token, in seconds; 7 days by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ttl_seconds: Option<i64>,
}

/// A proposed peering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proposed {
    /// The id under which the platform keeps the peer.
    pub peer_id: String,
    /// The token that the peer's accept carries. It is valid once.
    pub acceptance_token: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Joins a peer that proposed: the platform calls accept at that address, with that token.
///
/// The method responds after the peer has answered the accept. A peer that answers wrongly or agrees to another
/// contract is an error.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The address of the peer, without the prefix of the routes.
    #[schemars(url)]
    pub base_url: String,
    /// The token that the peer's operator issued.
    pub acceptance_token: String,
    /// The authorities to trust there, as PEM. Without it, the platform pins the first server certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_pem: Option<String>,
}

/// A peering that was joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// The id under which the platform keeps the peer.
    pub peer_id: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Shows one peer, as the platform's operator sees it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The peer.
    pub peer_id: String,
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The peer, always under this name.
    pub peer: PeerView,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A peer, as the platform's operator sees it. Everything else that the platform shows is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeerView {
    /// The id under which the platform keeps the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
    /// The status: `proposed`, `accepted`, `enrolled`, `active`, `degraded`, `suspended` or `revoked`. A
    /// status that contains "suspend" counts as suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The contract version that was agreed: an integer or a text. `agreed_contract_version` and
    /// `acknowledged_contract_version` are read as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version_agreed: Option<Value>,
    /// The digest of the agreed contract text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub contract_digest: Option<Value>,
    /// The peer's disclosure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub metadata: Option<Value>,
    /// The peer's capabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub capabilities: Option<Value>,
    /// The peer's data residency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub data_residency: Option<Value>,
    /// The peer's address. `base_url`, `instance_url` and `url` are read as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub remote_instance_url: Option<Value>,
    /// The peer's endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Value>>")]
    pub endpoints: Option<Value>,
    /// The findings about the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Value>>")]
    pub findings: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Lists all peers, whatever their status.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

/// The peers of the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peers {
    /// The peers, each as `peer.show` shows it.
    pub peers: Vec<PeerView>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Suspends a peer: its calls are refused until it is resumed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// The peer.
    pub peer_id: String,
    /// The reason, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Ends the suspension of a peer after a review. The peer may call at once.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The peer.
    pub peer_id: String,
    /// The reason, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Revokes a peer: the peering ends, and the platform sends the peer a notice.
///
/// The method responds when the revocation is in force, whether or not the peer could be reached.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The peer.
    pub peer_id: String,
    /// The reason, which the notice states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Sends a heartbeat to a peer now, without waiting for a timer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendHeartbeat {
    /// The peer.
    pub peer_id: String,
}

/// A heartbeat that was sent. The suite sees it at the peer; the result is for the transcript.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeartbeatSent {
    /// The body that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub sent: Option<Value>,
    /// The status of the peer's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    pub answered: Option<Value>,
    /// The body of the peer's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Lists the overlay addresses that are mounted for a peer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOverlay {
    /// The peer.
    pub peer_id: String,
}

/// The overlay addresses of a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Addresses {
    /// The addresses: texts, or objects with `peer_id` or `federation_peer_id` and with a state (`status`,
    /// `state`, `mounted`, `active` or `unmounted_at`).
    pub addresses: Vec<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
