//! `capability.*`: the kinds that the platform declares to its peers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::method::methods;
use super::{Done, Example, Extra, Listed};
use crate::contract::Basis;

methods! {
    /// Methods about declared kinds.
    CapabilityMethod in Capability {
        "capability.declare" => Declare -> Done {
            required: true,
            basis: Basis::Observed,
            prompt: Some("Declare this capability."),
            example: Example {
                parameters: r#"{"resource_kind": "skill", "schema_version": "1.0", "direction": "bidirectional", "policy": "manual"}"#,
                result: "{}",
            },
        }
        "capability.list" => List -> Listed<Capabilities> {
            basis: Basis::Observed,
            example: Example {
                parameters: "{}",
                result: r#"{"capabilities": [{"resource_kind": "skill", "schema_version": "1.0", "direction": "bidirectional", "policy": "manual"}]}"#,
            },
        }
    }
}

/// Declares a kind to one peer or to all. It replaces an earlier declaration of the kind.
///
/// The platform has to accept records of a kind that was declared to it, whatever the name of the kind.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declare {
    /// The peer. Without it, the declaration is for all peers, also for those that come later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
    /// The kind: `[a-z_]+`.
    pub resource_kind: String,
    /// The version of the kind's schema: an integer or a text.
    pub schema_version: Value,
    /// The direction: `push_local_to_remote`, `pull_remote_to_local`, `bidirectional` or `migration_only`.
    pub direction: String,
    /// The policy: `manual`, `auto_on_change`, `auto_periodic` or `on_match_filter`.
    pub policy: String,
    /// The filter: only records whose members have these values, or one of these values, are shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,
    /// The resolution of conflicts, as the platform knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_resolution: Option<String>,
    /// The kinds whose records may travel along with a migration of this kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// Lists the declared kinds.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only the declarations that this peer sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
}

/// The declared kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// The declarations, with the members of `capability.declare`.
    pub capabilities: Vec<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
