//! `audit.*`: the platform's own audit, and the excerpts that it asks its peers for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::method::methods;
use super::{Example, Extra, Listed};

methods! {
    /// Methods about audits.
    AuditMethod in Audit {
        "audit.list" => List -> Listed<Entries> {
            prompt: Some("Read the audit entries about this peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"entries": [{"id": "0197b2f0-0000-7000-8000-0000000000d1", "emitted_at": "2026-06-01T00:00:05Z", "payload": {"federation_peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "remote_subject": "covenant", "action": "federation.heartbeat", "status": 200}}]}"#,
            },
        }
        "audit.request" => Request -> Requested {
            prompt: Some("Ask this peer for its audit excerpt."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"request_id": "0197b2f0-0000-7000-8000-0000000000d2", "due_at": "2026-06-04T00:00:00Z"}"#,
            },
        }
    }
}

/// Lists the platform's own audit entries about a peer.
///
/// An action is every call of a peer, refused ones too, and every call that the platform made to the peer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The peer.
    pub peer_id: String,
}

/// The audit entries about a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entries {
    /// The entries. These members are read, at any depth: `federation_peer_id`; `remote_subject`; `action`,
    /// `kind`, `route` or `event`; `direction`; `status`, `status_code`, `http_status` or `response_status`;
    /// `count`, `event_count` or `times` in an entry that sums up.
    pub entries: Vec<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Asks a peer for its audit excerpt about the platform.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The peer.
    pub peer_id: String,
}

/// A request for an excerpt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// The platform's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub request_id: Option<Value>,
    /// The time by which the peer promised the excerpt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub due_at: Option<Value>,
    /// The time at which the excerpt arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub answered_at: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
