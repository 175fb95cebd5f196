//! `operator-can-revoke`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::revoked::all_revoked;
use crate::check::arguments::Labels;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Stop};
use covenant_model::transcript::Trace;

/// The operator's revocations are accepted, and each peer is then shown as revoked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OperatorCanRevoke {
    /// The operations that revoke.
    pub revoke: Labels,
    /// The operator's snapshots of those peers afterwards.
    pub snapshot: Labels,
}

impl Check for OperatorCanRevoke {
    const ID: &'static str = "operator-can-revoke";
    const EXPECTED: &'static [&'static str] = &["every revocation accepted, every peer revoked"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut evidence = vec![];
        for label in self.revoke.iter() {
            let Some((n, operation)) = trace.operation(label) else {
                return Err(Stop::unproven(format!("{label:?} was not called"), evidence));
            };
            evidence.push(n);
            if let Some(failure) = &operation.failure {
                return Err(Stop::broken(format!("{label:?} was refused: {failure:?}"), evidence));
            }
        }
        all_revoked(trace, &self.snapshot, evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    fn revoked(snapshot: Value) -> Verdict {
        TraceBuilder::new()
            .operation("revoke", "peer.revoke", json!({}))
            .operation("snapshot", "peer.show", snapshot)
            .verdict::<OperatorCanRevoke>(json!({"revoke": ["revoke"], "snapshot": ["snapshot"]}))
    }

    #[test]
    fn a_peer_that_is_not_shown_as_revoked_is_broken() {
        for (status, expected) in [("revoked", Kept), ("active", Broken)] {
            assert_eq!(revoked(json!({"peer": {"status": status}})), expected, "{status}");
        }
        assert_eq!(revoked(json!({})), Unproven);
    }
}
