//! `operator-can-revoke`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::revoked::all_revoked;
use crate::check::arguments::Labels;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Stop};

use covenant_model::operator::{NOT_FOUND, is_refusal_of_the_state};
use covenant_model::transcript::{OperationFailure, Trace};

/// The statuses by which a REST surface says that this operator may not, or has to come back.
const OF_THE_CALLER: [i64; 5] = [401, 403, 408, 425, 429];

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
            let Some(failure) = &operation.failure else { continue };
            if !is_refusal(failure) {
                let actual = format!("{label:?} was neither accepted nor refused: {failure:?}");
                return Err(Stop::unproven(actual, evidence));
            }
            let actual = format!("{label:?} was refused: {failure:?}");
            return Err(match all_revoked(trace, &self.snapshot, evidence.clone()) {
                // The peering had ended in another way.
                Ok(_) => Stop::unproven(actual, evidence),
                Err(_) => Stop::broken(actual, evidence),
            });
        }
        all_revoked(trace, &self.snapshot, evidence)
    }
}

/// Returns whether a failure says that the platform does not let its operator revoke. Any other leaves it open: a second
/// operator has to agree, the adapter failed, or the platform does not run.
fn is_refusal(failure: &OperationFailure) -> bool {
    let OperationFailure::Refused { code, message } = failure else { return false };
    let is_client_error = (400..500).contains(code) && !OF_THE_CALLER.contains(code);
    let waits = message.to_lowercase().contains("approv");
    (is_refusal_of_the_state(*code) || *code == NOT_FOUND || is_client_error) && !waits
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
        for (status, expected) in [
            ("revoked", Kept),
            ("REVOKED", Kept),
            ("archived", Kept),
            ("active", Broken),
            ("Suspended", Broken),
            ("revoking", Unproven),
            ("terminated", Unproven),
        ] {
            assert_eq!(revoked(json!({"peer": {"status": status}})), expected, "{status}");
        }
        assert_eq!(revoked(json!({})), Unproven);
    }

    #[test]
    fn a_revocation_is_refused_by_the_platform_alone() {
        let refused = |code: i64, message: &str| {
            let failure = OperationFailure::Refused { code, message: message.to_owned() };
            TraceBuilder::new()
                .failed_operation("revoke", "peer.revoke", json!({}), failure)
                .operation("snapshot", "peer.show", json!({"peer": {"status": "active"}}))
                .verdict::<OperatorCanRevoke>(json!({"revoke": ["revoke"], "snapshot": ["snapshot"]}))
        };
        assert_eq!(refused(-32009, "a suspended peer is not revoked"), Broken);
        assert_eq!(refused(409, "not in this state"), Broken);
        assert_eq!(refused(202, "pending approval (202)"), Unproven);
        assert_eq!(refused(-32009, "Pending approval by a second operator"), Unproven);
        assert_eq!(refused(-32603, "the adapter has a bug"), Unproven);
        assert_eq!(refused(503, "later"), Unproven);
    }
}
