//! `drift-is-reported`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use crate::check::arguments::{Label, PeerName, PeerOrJoin};
use crate::check::definition::Check;
use crate::check::general::FindingRaised;
use crate::check::outcome::{Outcome, Stop};
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
    const TAKES_PLACED: bool = true;

    fn expected(&self) -> Vec<String> {
        self.finding().expected()
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let handshake = Handshake::of_incompatible(trace, &self.accept, None)?;
        let mut conforming = self.conforming.iter();
        let has_no_control = conforming.any(|peer| handshake.is_incompatible_with(trace, peer));
        self.finding().evaluate(trace).map_err(|stop| match stop {
            Stop::Broken(_) if has_no_control => {
                stop.into_unproven("the version of the other peer is not compatible either")
            }
            stop => stop,
        })
    }
}

impl DriftIsReported {
    /// Returns the check of the finding, whatever the versions are.
    fn finding(&self) -> FindingRaised {
        FindingRaised {
            kind: self.kind.clone(),
            ..FindingRaised::about(self.peer.clone(), [&self.before, &self.after], self.conforming.as_ref())
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
    fn a_peer_of_another_incompatible_version_is_no_control() {
        let reported = |conforming: &str| {
            let about = |id: &str| json!({"kind": "peer_schema_version_drift", "federation_peer_id": id});
            TraceBuilder::new()
                .federated("2.0.0", "enrolled")
                .accepts("bob", conforming)
                .operation("p", "peer.join", json!({"peer_id": "p"}))
                .operation("bob", "peer.join", json!({"peer_id": "b"}))
                .scans(&json!([about("p"), about("b")]))
                .verdict::<DriftIsReported>(json!({
                    "accept": "accept", "peer": "p", "before": "before", "after": "after", "conforming": "bob",
                }))
        };
        assert_eq!([reported("1.4.0"), reported("3.0.0")], [Broken, Unproven]);
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
