//! Capability document (commitment 3, proposed) and the values of a capability row.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;

/// Resource kinds that a platform declares to serve. An empty document is valid: the platform serves nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapabilityDocument {
    /// Rows, one per kind.
    #[serde(default)]
    pub resource_kinds: Vec<Capability>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

impl CapabilityDocument {
    /// Reads the value of `capabilities`. Returns `None` if it is not a capability document: the observed
    /// wire accepts any JSON there.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// Returns the row of a kind.
    #[must_use]
    pub fn row(&self, kind: &str) -> Option<&Capability> {
        self.resource_kinds.iter().find(|row| row.kind == kind)
    }
}

/// One declared kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Kind: `[a-z_]+`.
    pub kind: String,
    /// Schema version that the platform runs: an integer or a text, as in its inventory.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub schema_version: Value,
    /// Direction in which records may flow, seen from the declaring platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Policy that says at what time records flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Filter. Every key must match; an array matches any of its values (3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Direction of a capability row (`wire.md` §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The declaring platform sends.
    PushLocalToRemote,
    /// The declaring platform receives.
    PullRemoteToLocal,
    /// Both platforms send and receive.
    Bidirectional,
    /// Records move by migration only; no record is synced (7.5).
    MigrationOnly,
    /// A value that this suite does not know.
    #[serde(untagged)]
    Other(String),
}

/// Policy of a capability row (`wire.md` §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Only at the request of an operator.
    Manual,
    /// On each change.
    AutoOnChange,
    /// At intervals.
    AutoPeriodic,
    /// On each change that the filter matches.
    OnMatchFilter,
    /// A value that this suite does not know.
    #[serde(untagged)]
    Other(String),
}

/// Returns the rows of a declaration, which is a list or holds one, as far as they are for this peer: a row that names
/// another one is not.
pub fn rows_for<'a>(declaration: &'a Value, peer_id: Option<&'a str>) -> impl Iterator<Item = &'a Value> {
    let rows = declaration.get("capabilities").unwrap_or(declaration).as_array().into_iter().flatten();
    rows.filter(move |row| {
        let named = ["peer_id", "federation_peer_id"].iter().find_map(|name| row[name].as_str());
        named.is_none() || named == peer_id
    })
}

/// Returns the kind that a row of a declaration is about.
#[must_use]
pub fn kind_of(row: &Value) -> Option<&str> {
    row["kind"].as_str().or_else(|| row["resource_kind"].as_str())
}

/// Returns whether a row of a declaration says that no record of its kind is migrated to the declarer: the kind does
/// not migrate, or it only flows out. A row without `migratable` says nothing, since the wire does not show an
/// inventory.
#[must_use]
pub fn takes_no_migration(row: &Value) -> bool {
    let is_fixed = row["migratable"] == false || row["metadata"]["migratable"] == false;
    is_fixed || row["direction"] == "push_local_to_remote"
}
