//! Faults: what prevents a scenario or a run from completing, and whose fault it is.

use std::error::Error;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::with_causes;

/// Side that a fault is due to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The target did not do what the scenario needs to continue.
    Target,
    /// The adapter broke its protocol, exited or hung.
    Adapter,
    /// The machine that runs the suite failed: no port, no disk space.
    Environment,
    /// A mistake in the scenario file.
    Scenario,
    /// An internal error.
    Suite,
}

/// Writes the word of the transcript.
impl fmt::Display for Blame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// A fault, with its blame and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Side that the fault is due to.
    pub blame: Blame,
    /// Number of the scenario's step, from 1; `None` outside the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Name of the method that was called; `None` if the fault is not of a method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Reason, for a person.
    pub reason: String,
}

impl Fault {
    /// Creates a fault of the target.
    #[must_use]
    pub fn target(reason: impl Into<String>) -> Self {
        Self::new(Blame::Target, reason.into())
    }

    /// Creates a fault of the adapter.
    #[must_use]
    pub fn adapter(reason: impl Into<String>) -> Self {
        Self::new(Blame::Adapter, reason.into())
    }

    /// Creates a fault of the environment.
    #[must_use]
    pub fn environment(reason: impl Into<String>) -> Self {
        Self::new(Blame::Environment, reason.into())
    }

    /// Creates a fault of the environment from an error with its causes.
    #[must_use]
    pub fn of_environment(error: &(dyn Error + 'static)) -> Self {
        Self::environment(with_causes(error))
    }

    /// Creates a fault of the scenario.
    #[must_use]
    pub fn scenario(reason: impl Into<String>) -> Self {
        Self::new(Blame::Scenario, reason.into())
    }

    /// Creates a fault of the suite.
    #[must_use]
    pub fn suite(reason: impl Into<String>) -> Self {
        Self::new(Blame::Suite, reason.into())
    }

    /// Adds the method that was called.
    #[must_use]
    pub fn of_method(self, method: impl fmt::Display) -> Self {
        Self { method: Some(method.to_string()), ..self }
    }

    fn new(blame: Blame, reason: String) -> Self {
        Self { blame, step: None, method: None, reason }
    }
}

/// Writes the place before the reason: `step 3: peer.show: the adapter failed: no answer within 60 s`.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = self.step {
            write!(formatter, "step {step}: ")?;
        }
        if let Some(method) = &self.method {
            write!(formatter, "{method}: ")?;
        }
        if self.blame == Blame::Adapter {
            formatter.write_str("the adapter failed: ")?;
        }
        formatter.write_str(&self.reason)
    }
}

impl Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_displayed_with_its_place() {
        let hung = Fault::adapter("it hung").of_method("peer.show");
        assert_eq!(hung.to_string(), "peer.show: the adapter failed: it hung");
        assert_eq!(
            Fault { step: Some(3), ..hung }.to_string(),
            "step 3: peer.show: the adapter failed: it hung"
        );
        assert_eq!(Fault { step: Some(3), ..Fault::target("no") }.to_string(), "step 3: no");
        assert_eq!(Fault::environment("no port").of_method("x").to_string(), "x: no port");
    }
}
