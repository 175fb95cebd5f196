//! `grant.*`: grants that the platform issues, and grants that it holds.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::method::methods;
use super::{Done, Example, Extra, Listed};
use crate::clock::deserialize_moment;
use crate::contract::Basis;

methods! {
    /// Methods about grants.
    GrantMethod in Grant {
        "grant.issue" => Issue -> Issued {
            required: true,
            basis: Basis::Observed,
            prompt: Some("Issue a grant to this peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "remote_subject": "covenant", "resource_kind": "skill", "permission_scopes": ["read"]}"#,
                result: r#"{"grant_id": "0197b2f0-0000-7000-8000-0000000000b1", "bearer_token": "fgs.0197b2f0-0000-7000-8000-0000000000b1.5f2c", "expires_at": "2026-07-01T00:00:00Z"}"#,
            },
        }
        "grant.revoke" => Revoke -> Done {
            basis: Basis::Observed,
            prompt: Some("Revoke this grant."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "grant_id": "0197b2f0-0000-7000-8000-0000000000b1", "reason": "no longer needed"}"#,
                result: "{}",
            },
        }
        "grant.list" => List -> Listed<Grants> {
            basis: Basis::Observed,
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"grants": [{"grant_id": "0197b2f0-0000-7000-8000-0000000000b1", "federation_peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "resource_kind": "skill", "permission_scopes": ["read"]}]}"#,
            },
        }
        "grant.hold" => Hold -> Done {
            prompt: Some("Store this grant, which the peer issued, in the platform."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "grant_id": "0197b2f0-0000-7000-8000-0000000000b2", "bearer_token": "fgs.0197b2f0-0000-7000-8000-0000000000b2.8d1e", "resource_kind": "skill", "resource_id": "0190b2f0-0000-7000-8000-00000000c0de", "permission_scopes": ["read", "migrate"], "expires_at": "2026-07-01T00:00:00Z"}"#,
                result: "{}",
            },
        }
    }
}

/// Issues a grant to a peer, for records of one kind.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The peer that may use the grant.
    pub peer_id: String,
    /// The subject at the peer that may use the grant. Without it, the name of the peer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_subject: Option<String>,
    /// The kind of the records.
    pub resource_kind: String,
    /// The record. Without it, the grant covers every record of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The scopes: `read`, `write`, `admin`, `migrate`.
    pub permission_scopes: Vec<String>,
    /// The lifetime, from 7 to 365 days; 30 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_days: Option<i64>,
    /// The instances of the peer that may use the grant; all by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_instance_ids: Vec<String>,
    /// The networks from which the grant may be used; all by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sdwan_network_ids: Vec<String>,
    /// The address ranges from which the grant may be used; all by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_cidrs: Vec<String>,
}

/// A grant that the platform issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issued {
    /// The id of the grant.
    pub grant_id: String,
    /// The token that a call under the grant carries. It is opaque to the suite.
    pub bearer_token: String,
    /// The end of the grant.
    #[serde(deserialize_with = "deserialize_moment")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: Timestamp,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Revokes a grant that the platform issued, and sends the peer a notice.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The grant.
    pub grant_id: String,
    /// The peer of the grant, if the platform's interface requires it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
    /// The reason, which the notice states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Lists the grants that the platform issued.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only the grants of this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
}

/// The grants that the platform issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grants {
    /// The rows, one for each grant.
    pub grants: Vec<GrantRow>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A grant in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrantRow {
    /// The id of the grant. `id` is read as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub grant_id: Option<Value>,
    /// The peer. `peer_id` is read as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub federation_peer_id: Option<Value>,
    /// The kind of the records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub resource_kind: Option<Value>,
    /// The record. Absent, blank or `*` means every record of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub resource_id: Option<Value>,
    /// The scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub permission_scopes: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Stores a grant that a peer issued to the platform out of band.
///
/// The platform uses it for `resource.fetch` and `migration.send`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The peer that issued the grant.
    pub peer_id: String,
    /// The id of the grant at the peer.
    pub grant_id: String,
    /// The token of the grant.
    pub bearer_token: String,
    /// The kind of the records.
    pub resource_kind: String,
    /// The record. Without it, the grant covers every record of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The scopes.
    pub permission_scopes: Vec<String>,
    /// The end of the grant.
    #[serde(deserialize_with = "deserialize_moment")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: Timestamp,
}
