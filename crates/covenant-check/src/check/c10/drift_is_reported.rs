//! `drift-is-reported`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use crate::check::arguments::{Label, PeerName, PeerOrJoin};
use crate::check::definition::Check;
use crate::check::general::FindingRaised;
use crate::check::outcome::Outcome;
use covenant_model::transcript::Trace;

/// A finding is raised about a peer whose version is not compatible with the target's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DriftIsReported {
    /// The accept or the heartbeat in which both sides report their versions.
    pub accept: Label,
    /// The peer of the incompatible version.
    pub peer: PeerOrJoin,
    /// The scan before the peer reported its version.
    pub before: Label,
    /// The scan after it.
    pub after: Label,
    /// A peer whose version is compatible with the target's.
    pub conforming: Option<PeerName>,
    /// The kind of the finding, where the contract names it.
    pub kind: Option<String>,
}

impl Check for DriftIsReported {
    const ID: &'static str = "drift-is-reported";
    const EXPECTED: &'static [&'static str] = FindingRaised::EXPECTED;

    fn expected(&self) -> Vec<String> {
        self.finding().expected()
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        Handshake::of_incompatible(trace, &self.accept, None)?;
        self.finding().evaluate(trace)
    }
}

impl DriftIsReported {
    /// Returns the check of the finding, whatever the versions are.
    fn finding(&self) -> FindingRaised {
        FindingRaised {
            peer: self.peer.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            conforming: self.conforming.clone(),
            excluding: None,
            within_limit: None,
            kind: self.kind.clone(),
            route: None,
            accepted: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::VersionSteps;
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    fn reported(builder: TraceBuilder, findings: &Value) -> Verdict {
        builder.scans(findings).verdict::<DriftIsReported>(
            json!({"accept": "accept", "peer": "p", "before": "before", "after": "after"}),
        )
    }

    #[test]
    fn no_finding_about_a_peer_of_an_incompatible_version_is_broken() {
        let finding = json!([{"kind": "peer_schema_version_drift", "federation_peer_id": "p"}]);
        let federated = |version: &str| {
            let builder = TraceBuilder::new().federated(version, "enrolled");
            builder.operation("p", "peer.join", json!({"peer_id": "p"}))
        };
        assert_eq!(reported(federated("2.0.0"), &finding), Kept);
        assert_eq!(reported(federated("2.0.0"), &json!([])), Broken);
        assert_eq!(reported(federated("1.5.0"), &json!([])), Unproven);
        assert_eq!(reported(TraceBuilder::new(), &json!([])), Unproven);
    }
}
