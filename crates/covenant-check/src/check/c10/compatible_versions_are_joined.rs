//! `compatible-versions-are-joined`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::{Handshake, NO_HANDSHAKE};
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Stop};
use covenant_model::transcript::Trace;

/// The reason for which the check ends without a join.
const NO_JOIN: &str = "the target was not asked to join";

/// The target joins a peer whose version is compatible with its own, and accepts its work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CompatibleVersionsAreJoined {
    /// The peer that proposed.
    pub peer: PeerName,
    /// The target's join.
    pub join: Label,
    /// The peer's work afterwards.
    pub call: Labels,
    /// The peer's heartbeats.
    pub probe: Label,
    /// The join of a peer of the target's own release.
    pub control_join: Label,
    /// The same work of that peer.
    pub control: Option<Labels>,
}

impl Check for CompatibleVersionsAreJoined {
    const ID: &'static str = "compatible-versions-are-joined";
    const EXPECTED: &'static [&'static str] = &["the peer joined, and each of its calls accepted"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (n, join) = trace.operation(&self.join).or_unproven(NO_JOIN)?;
        let (_, control_join) = trace.operation(&self.control_join).or_unproven(NO_JOIN)?;
        let handshake = Handshake::of_join(trace, &self.peer).or_unproven_at(NO_HANDSHAKE, &[n])?;
        if !handshake.is_compatible {
            return Err(handshake.unproven("are not compatible"));
        }
        match (&join.failure, &control_join.failure) {
            (None, _) => {
                let labels: Vec<&str> = self.call.iter().chain([&*self.probe]).collect();
                handshake.all_served(trace, &labels, self.control.as_ref())
            }
            (Some(failure), None) => {
                let actual = format!("{}: the join was refused: {failure:?}", handshake.versions);
                Err(Stop::broken(actual, [handshake.n, n]))
            }
            (Some(_), Some(_)) => {
                Err(handshake.unproven("did not join, and neither did a peer of the target's release"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{VersionSteps, answer, routed};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange, OperationFailure};
    use serde_json::json;

    /// Returns the verdict on the target's join of a peer, compared with the join of a peer of the target's
    /// release.
    fn joined(version: &str, is_joined: bool, control_is_joined: bool, heartbeat: u16) -> Verdict {
        let response = answer(200, &json!({"platform_version": version, "peer_id": "1"}));
        let accept = routed("alice", ("POST", "accept"), &json!({"platform_version": "1.4.0"}), response);
        let accept = Exchange { direction: Direction::FromTarget, ..accept };
        let mut builder = TraceBuilder::new().call_from_target(accept);
        for (label, is_joined) in [("joined", is_joined), ("control-joined", control_is_joined)] {
            builder = if is_joined {
                builder.operation(label, "peer.join", json!({"peer_id": "1"}))
            } else {
                let refused = OperationFailure::Refused { code: -32010, message: "no".into() };
                builder.failed_operation(label, "peer.join", json!({}), refused)
            };
        }
        builder.served("heartbeat", heartbeat).verdict::<CompatibleVersionsAreJoined>(json!({
            "peer": "alice", "join": "joined", "control_join": "control-joined", "call": "heartbeat",
            "probe": "heartbeat",
        }))
    }

    #[test]
    fn a_compatible_peer_that_is_not_joined_is_broken_if_the_control_is() {
        assert_eq!(joined("1.5.0", true, true, 200), Kept);
        assert_eq!(joined("1.5.0", false, true, 401), Broken);
        assert_eq!(joined("1.5.0", false, false, 401), Unproven);
        assert_eq!(joined("1.5.0", true, true, 401), Broken);
        assert_eq!(joined("1.6.0", false, true, 401), Unproven);
    }
}
