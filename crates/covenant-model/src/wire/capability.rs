//! The capability document (commitment 3, proposed) and the words of a capability row.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;

/// What a platform declares that it serves. Empty is legal: then nothing is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapabilityDocument {
    /// One row a kind.
    #[serde(default)]
    pub resource_kinds: Vec<Capability>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

impl CapabilityDocument {
    /// Reads whatever stood in `capabilities`. `None` where it is no such document: the observed
    /// wire takes any JSON there.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// The row of a kind.
    #[must_use]
    pub fn row(&self, kind: &str) -> Option<&Capability> {
        self.resource_kinds.iter().find(|row| row.kind == kind)
    }
}

/// One declared kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// `[a-z_]+`
    pub kind: String,
    /// The schema it runs: an integer or a text, as its inventory has it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub schema_version: Value,
    /// Which way records may flow, seen from the declarer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// When records flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Every key must match; an array means any of (3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Direction of a capability row (`powernode.md` §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The declarer sends.
    PushLocalToRemote,
    /// The declarer receives.
    PullRemoteToLocal,
    /// Both.
    Bidirectional,
    /// By migration only: nothing flows by itself (7.5).
    MigrationOnly,
    /// A word that this suite does not know.
    #[serde(untagged)]
    Other(String),
}

/// Policy of a capability row (`powernode.md` §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Only when an operator says so.
    Manual,
    /// On each change.
    AutoOnChange,
    /// From time to time.
    AutoPeriodic,
    /// On each change that the filter takes.
    OnMatchFilter,
    /// A word that this suite does not know.
    #[serde(untagged)]
    Other(String),
}
