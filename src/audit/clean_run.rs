//! Ends the peerings that a run left at its target, through the operator client of the command line.

use std::collections::BTreeSet;

use covenant_model::operator::NOT_FOUND;
use serde_json::{Value, json};

use crate::clock::Seed;
use crate::operator::peer::{Join, Propose, Revoke, Show};
use crate::operator::platform::{Reset, Start};
use crate::operator::{OperatorClient, OperatorError, OperatorMethod, TargetRequest, Targets};
use crate::transcript::{Direction, Entry, Reading, What};
use crate::wire::path::Route;
use crate::wire::state::PeerStatus;

/// The statuses of the REST surface for a peer that is not there.
const STATUS_NOT_FOUND: i64 = 404;
const STATUS_GONE: i64 = 410;
/// The name of the lease in which peerings are ended.
const LEASE: &str = "audit/clean";
/// The reason that the notice states.
const REASON: &str = "the run was interrupted";

/// A peer that a run made at its target, and that nothing in the transcript ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPeer {
    /// The id under which the target keeps the peer, as recorded.
    pub peer_id: String,
    /// The scenario that made it.
    pub scenario: String,
    /// The entry that shows it.
    pub entry: u64,
}

/// Outcome of the clean-up for a peer of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndedPeer {
    /// It is revoked now.
    Revoked,
    /// It was revoked before.
    WasRevoked,
    /// The target does not show it.
    Unknown(String),
    /// It could not be revoked.
    Failed(String),
}

/// Returns the peers that a run may have left at its target. What a reset follows is gone.
#[must_use]
pub fn left_by_run(reading: &Reading) -> Vec<RunPeer> {
    let mut left = BTreeSet::new();
    for trace in reading.traces() {
        for entry in trace.entries() {
            match &*entry.what {
                What::Operation(made) if made.is(Reset::METHOD) && made.result.is_some() => {
                    left.retain(|peer: &RunPeer| peer.scenario != trace.scenario());
                }
                What::Operation(made) if made.is(Revoke::METHOD) && made.result.is_some() => {
                    left.retain(|peer: &RunPeer| {
                        Some(peer.peer_id.as_str()) != made.parameters["peer_id"].as_str()
                    });
                }
                _ => {}
            }
            if let Some(peer_id) = made_in(entry) {
                left.insert(RunPeer { peer_id, scenario: trace.scenario().to_owned(), entry: entry.n });
            }
        }
    }
    let mut named = BTreeSet::new();
    left.into_iter().filter(|peer| named.insert(peer.peer_id.clone())).collect()
}

/// Returns the id of a peer that an entry shows to be made.
fn made_in(entry: &Entry) -> Option<String> {
    let id = match &*entry.what {
        What::Operation(made) if made.is(Propose::METHOD) || made.is(Join::METHOD) => {
            made.result.as_ref()?["peer_id"].clone()
        }
        What::Exchange(call)
            if call.direction == Direction::ToTarget
                && call.route() == Some(Route::Accept)
                && call.succeeded() =>
        {
            call.data()?["peer_id"].clone()
        }
        _ => Value::Null,
    };
    id.as_str().map(ToOwned::to_owned)
}

/// Revokes each of the peers that still stands. Passes on what became of it.
pub async fn end_peers(
    targets: &dyn Targets,
    peers: &[RunPeer],
    mut show: impl FnMut(&RunPeer, &EndedPeer),
) -> Result<(), OperatorError> {
    let request = TargetRequest { scenario: LEASE, seed: Seed(0), alone: true, durable: false };
    let lease = targets.lease(request).await?;
    lease.operator.call(Start::METHOD, json!({"settings": {}})).await?;
    for peer in peers {
        let ended = end(&*lease.operator, &peer.peer_id).await?;
        show(peer, &ended);
    }
    Ok(())
}

async fn end(operator: &dyn OperatorClient, peer_id: &str) -> Result<EndedPeer, OperatorError> {
    match operator.call(Show::METHOD, json!({"peer_id": peer_id})).await {
        Ok(shown) if has_ended(&shown["peer"]["status"]) => return Ok(EndedPeer::WasRevoked),
        Err(gone) if is_unknown(&gone) => return Ok(EndedPeer::Unknown(gone.to_string())),
        Err(fault @ OperatorError::Fault(_)) => return Err(fault),
        // Another refusal says nothing of the peer: it may stand.
        Ok(_) | Err(OperatorError::Unsupported { .. } | OperatorError::Refused { .. }) => {}
    }
    match operator.call(Revoke::METHOD, json!({"peer_id": peer_id, "reason": REASON})).await {
        Ok(_) => Ok(EndedPeer::Revoked),
        Err(gone) if is_unknown(&gone) => Ok(EndedPeer::Unknown(gone.to_string())),
        Err(fault @ OperatorError::Fault(_)) => Err(fault),
        Err(other) => Ok(EndedPeer::Failed(other.to_string())),
    }
}

/// Returns whether a status is that of a peering that ended.
fn has_ended(status: &Value) -> bool {
    status.as_str().and_then(PeerStatus::means_ended) == Some(true)
}

/// Returns whether the target says that it has no such peer. The REST surface says so by the status of its answer.
fn is_unknown(error: &OperatorError) -> bool {
    matches!(error, OperatorError::Refused { code: NOT_FOUND | STATUS_NOT_FOUND | STATUS_GONE, .. })
}
