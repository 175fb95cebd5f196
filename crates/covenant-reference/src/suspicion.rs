//! A suspicion: the parts that answer peers raise it, and governance turns it into a finding.

use serde_json::Value;

/// A peer's act or state that is against the contract.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suspicion {
    /// Name of the finding: one of [`finding`](covenant_model::wire::notice::finding).
    pub(crate) kind: &'static str,
    /// The hard commitments that it breaches. Empty for a soft norm or a lasting state.
    pub(crate) norms: &'static [u8],
    /// Description for the operator.
    pub(crate) message: String,
    /// The facts of the finding.
    pub(crate) payload: Value,
}

impl Suspicion {
    /// Creates a suspicion of a breach of hard norms.
    pub(crate) fn breach(
        kind: &'static str,
        norms: &'static [u8],
        message: impl Into<String>,
        payload: Value,
    ) -> Self {
        Self { kind, norms, message: message.into(), payload }
    }

    /// Creates a suspicion against a soft norm, or of a lasting state.
    pub(crate) fn soft(kind: &'static str, message: impl Into<String>, payload: Value) -> Self {
        Self::breach(kind, &[], message, payload)
    }
}
