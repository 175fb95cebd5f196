//! Stages: the capabilities of a target that the scenarios build on, each tried by a scenario of its own.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Capability of a target. A run tries each one with a conforming peer before it plays what needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A peer federates. Every scenario needs this stage: without it the run is void.
    Handshake,
    /// An active peer sends a heartbeat.
    Heartbeat,
    /// A peer reads a record under a grant.
    Read,
    /// A peer migrates a record to the target.
    Migrate,
    /// A peer sends a batch of a sync stream.
    Sync,
    /// A peer sends a notice in a heartbeat.
    Notice,
    /// A peer revokes the peering.
    Revoke,
}

/// Writes the word of the scenario file.
impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}
