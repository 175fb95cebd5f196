//! Keeper of the keys of a peering while a scenario is played, so that the peer can leave after its process ended.

use std::fmt::Debug;

use serde_json::Value;

use super::StepError;
use crate::Fault;
use crate::peer::{CallOutcome, Peer, StepContext};
use crate::transcript::FailureKind;

/// Keeps the snapshot of each peer that the target may have admitted.
pub trait SnapshotKeeper: Debug + Send + Sync {
    /// Keeps the peer before its token is spent. After an error the token is not sent.
    fn accepting(&self, peer: &Peer) -> Result<(), Fault>;

    /// Keeps the peer with what the target gave it.
    fn accepted(&self, peer: &Peer) -> Result<(), Fault>;

    /// Forgets the peer: the target did not admit it, or was notified that it leaves.
    fn ended(&self, peer: &Peer);
}

/// Lets a peer accept. What it needs to leave is kept before the token is spent.
pub(super) async fn accept(
    peer: &Peer,
    keeper: Option<&dyn SnapshotKeeper>,
    context: &StepContext,
    token: &str,
    with: &Value,
) -> Result<CallOutcome, StepError> {
    let Some(keeper) = keeper else { return Ok(peer.accept(context, token, with).await?) };
    keeper.accepting(peer)?;
    let accepted = peer.accept(context, token, with).await?;
    if peer.id_at_target().is_some() {
        keeper.accepted(peer)?;
    } else if !may_have_acted(accepted.status, accepted.failure) {
        keeper.ended(peer);
    }
    Ok(accepted)
}

/// Lets a peer revoke the peering. Once the target is notified, nothing is kept of the peer.
pub(super) async fn revoke(
    peer: &Peer,
    keeper: Option<&dyn SnapshotKeeper>,
    context: &StepContext,
) -> Result<Option<CallOutcome>, StepError> {
    let outcome = peer.revoke(context, "the scenario says so").await?;
    if let Some(keeper) = keeper.filter(|_| outcome.as_ref().is_some_and(CallOutcome::succeeded)) {
        keeper.ended(peer);
    }
    Ok(outcome)
}

/// Returns whether a target may have done what a call asked for, by the answer, or by why there is none.
pub(crate) fn may_have_acted(status: Option<u16>, failure: Option<FailureKind>) -> bool {
    match (status, failure) {
        (Some(status), _) => !(300..500).contains(&status),
        (None, Some(kind)) => !matches!(
            kind,
            FailureKind::Refused
                | FailureKind::Untrusted
                | FailureKind::Handshake
                | FailureKind::Certificate
                | FailureKind::Request
        ),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_may_hide_an_admission_and_a_refusal_does_not() {
        for (status, failure, may) in [
            (Some(200), None, true),
            (Some(503), None, true),
            (Some(401), None, false),
            (Some(404), None, false),
            (Some(302), None, false),
            (None, Some(FailureKind::Timeout), true),
            (None, Some(FailureKind::Closed), true),
            (None, Some(FailureKind::Refused), false),
            (None, Some(FailureKind::Untrusted), false),
        ] {
            assert_eq!(may_have_acted(status, failure), may, "{status:?} {failure:?}");
        }
    }
}
