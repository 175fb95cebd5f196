//! `event.list` and `governance.scan`: the events and findings that the operator reads.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::method::methods;
use super::{Example, Extra, Listed};
use crate::contract::Basis;

methods! {
    /// Methods about the events and findings that the operator reads.
    GovernanceMethod in Governance {
        "event.list" => ListEvents -> Listed<Events> {
            basis: Basis::Observed,
            prompt: Some("Read the platform's events."),
            example: Example {
                parameters: "{}",
                result: r#"{"events": [{"id": "0197b2f0-0000-7000-8000-0000000000e1", "kind": "federation.peer.accepted", "severity": "low", "emitted_at": "2026-06-01T00:00:05Z", "payload": {}}]}"#,
            },
        }
        "governance.scan" => Scan -> Scanned {
            basis: Basis::Observed,
            prompt: Some("Run the governance scan. What did it find?"),
            example: Example {
                parameters: "{}",
                result: r#"{"findings": [{"kind": "peer_capability_drift", "severity": "medium", "federation_peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "message": "skill is declared and refused", "payload": {"resource_kind": "skill"}}]}"#,
            },
        }
    }
}

/// Lists the events that the operator can see.
///
/// The suite compares two lists, so an event has to stay in the list. The suite reads every member of an event:
/// it recognises a boundary crossing, for example, by a word or by the names of both places.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// Only the events from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
}

/// The events that the operator can see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Events {
    /// The events, with `id`, `kind`, `severity`, `emitted_at` and `payload`.
    pub events: Vec<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Runs the governance scan, and lists all findings about all peers.
///
/// The platform chooses the kinds of its findings, except for those that the contract names. It raises findings
/// about peers that break the contract, and none about peers that keep it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scan {}

/// The findings of the governance scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scanned {
    /// The findings, always under this name.
    pub findings: Vec<Finding>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A finding about a peer. It counts as new if its kind, message and payload together were not there before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The kind, such as `peer_capability_drift`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub kind: Option<Value>,
    /// The severity: `low`, `medium`, `high` or `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub severity: Option<Value>,
    /// The peer that the finding is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub federation_peer_id: Option<Value>,
    /// The message, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub message: Option<Value>,
    /// The facts, as data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub payload: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
