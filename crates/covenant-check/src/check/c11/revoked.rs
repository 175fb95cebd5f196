//! Reads whether peers are shown as revoked.

use crate::check::arguments::Labels;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::status_shown;
use covenant_model::transcript::Trace;
use covenant_model::wire::state::PeerStatus;

/// Evaluates whether each of these snapshots shows a revoked peer. `evidence` is what led to it.
pub(super) fn all_revoked(trace: &Trace, snapshots: &Labels, mut evidence: Vec<u64>) -> Outcome {
    for label in snapshots.iter() {
        let Some((n, status)) = status_shown(trace, label) else {
            return Err(Stop::unproven(format!("{label:?} shows no status"), evidence));
        };
        evidence.push(n);
        match PeerStatus::means_ended(status) {
            Some(true) => {}
            Some(false) => {
                return Err(Stop::broken(format!("{label:?} shows the peer as {status}"), evidence));
            }
            None => {
                let actual = format!("{label:?} shows the peer as {status}, which is no status of the wire");
                return Err(Stop::unproven(actual, evidence));
            }
        }
    }
    Ok(Pass::new(format!("{} peers are revoked", snapshots.iter().count()), evidence))
}

/// Returns whether a snapshot shows a revoked peer.
pub(super) fn is_revoked(trace: &Trace, snapshot: &str) -> bool {
    status_shown(trace, snapshot).is_some_and(|(_, status)| PeerStatus::means_ended(status) == Some(true))
}
