//! `operator-can-revoke`.

use std::iter;

use schemars::JsonSchema;
use serde::Deserialize;

use super::revoked::{require_revoked, revoked_from};
use crate::check::arguments::Labels;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::status_shown;
use covenant_model::operator::{NOT_FOUND, is_refusal_of_the_state};
use covenant_model::transcript::{OperationFailure, Trace};
use covenant_model::wire::state::PeerStatus;

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
    /// The operator's snapshots of those peers before. A state that none of them shows is not claimed.
    pub before: Option<Labels>,
}

impl Check for OperatorCanRevoke {
    const ID: &'static str = "operator-can-revoke";
    const EXPECTED: &'static [&'static str] = &["every revocation accepted, every peer revoked"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (mut evidence, mut states, mut open, mut not_shown) = (vec![], vec![], None, None);
        let befores = self.before.iter().flat_map(Labels::iter).map(Some).chain(iter::repeat(None));
        for ((revoke, snapshot), before) in self.revoke.iter().zip(self.snapshot.iter()).zip(befores) {
            let shown = before.and_then(|label| status_shown(trace, label));
            match revoked(trace, revoke, snapshot) {
                // A peering that had ended before shows nothing.
                _ if shown.is_some_and(|(_, status)| PeerStatus::means_ended(status) == Some(true)) => {}
                Ok(seen) => {
                    states.extend(shown.map(|(_, status)| status));
                    evidence.extend(shown.map(|(n, _)| n).into_iter().chain(seen));
                }
                Err(broken @ Stop::Broken(_)) => return Err(broken),
                Err(stop) if before.is_none() || shown.is_some() => open = Some(stop),
                Err(stop) => not_shown = Some(stop),
            }
        }
        if let Some(stop) = open {
            return Err(stop);
        }
        if evidence.is_empty() {
            return Err(not_shown.unwrap_or(Stop::unproven("each peering had ended before", evidence)));
        }
        Ok(Pass::new(revoked_from(states.into_iter()), evidence))
    }
}

/// Returns the entries that show a revocation which was accepted and has taken effect.
fn revoked(trace: &Trace, revoke: &str, snapshot: &str) -> Result<[u64; 2], Stop> {
    let (n, operation) = trace.operation(revoke).or_unproven(&format!("{revoke:?} was not called"))?;
    let shown = require_revoked(trace, snapshot);
    let Some(failure) = &operation.failure else { return Ok([n, shown?]) };
    let actual = format!("{revoke:?} was refused: {failure:?}");
    Err(match shown {
        Err(Stop::Broken(_)) if is_refusal(failure) => Stop::broken(actual, [n]),
        // A second operator has to agree, or the peering ended in another way.
        _ => Stop::unproven(actual, [n]),
    })
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
    fn a_state_is_claimed_where_it_was_shown() {
        let shown = |states: [&str; 2], last: &str| {
            let show = |builder: TraceBuilder, label: &str, status: &str| {
                builder.operation(label, "peer.show", json!({"peer": {"status": status}}))
            };
            let builder =
                states.iter().zip(["one", "two"]).fold(TraceBuilder::new(), |builder, (state, name)| {
                    show(builder, &format!("before-{name}"), state).operation(name, "peer.revoke", json!({}))
                });
            show(show(builder, "after-one", "revoked"), "after-two", last).result::<OperatorCanRevoke>(
                json!({
                    "revoke": ["one", "two"], "snapshot": ["after-one", "after-two"],
                    "before": ["before-one", "before-two"],
                }),
            )
        };
        let kept = shown(["active", "Degraded"], "revoked");
        assert_eq!(kept.verdict, Kept);
        assert!(format!("{kept:?}").contains("active, degraded"), "{kept:?}");
        assert_eq!(shown(["active", "degraded"], "degraded").verdict, Broken);
        assert_eq!(shown(["active", "revoked"], "revoked").verdict, Kept);
        assert_eq!(shown(["revoked", "revoked"], "revoked").verdict, Unproven);
        let gone = TraceBuilder::new()
            .operation("before-one", "peer.show", json!({"peer": {"status": "active"}}))
            .operation("one", "peer.revoke", json!({}))
            .operation("two", "peer.revoke", json!({}))
            .operation("after-one", "peer.show", json!({"peer": {"status": "revoked"}}));
        let with = |before: Value| json!({"revoke": ["one", "two"], "snapshot": ["after-one", "after-two"], "before": before});
        assert_eq!(gone.verdict::<OperatorCanRevoke>(with(json!(["before-one", "before-two"]))), Kept);
        assert_eq!(gone.verdict::<OperatorCanRevoke>(with(json!(null))), Unproven);
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
