//! Reads whether peers are shown as revoked.

use std::collections::BTreeSet;

use crate::check::arguments::Labels;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::status_shown;
use covenant_model::transcript::Trace;
use covenant_model::wire::state::PeerStatus;

/// Evaluates whether each of these snapshots shows a revoked peer. `evidence` is what led to it.
pub(super) fn all_revoked(trace: &Trace, snapshots: &Labels, mut evidence: Vec<u64>) -> Outcome {
    for label in snapshots.iter() {
        match require_revoked(trace, label) {
            Ok(n) => evidence.push(n),
            Err(stop) => return Err(stop.after(evidence)),
        }
    }
    Ok(Pass::new(format!("{} peers are revoked", snapshots.iter().count()), evidence))
}

/// Returns in words that peers are revoked, and the states in which they were shown before: another one is not claimed.
pub(super) fn revoked_from<'a>(states: impl Iterator<Item = &'a str>) -> String {
    let states: BTreeSet<String> = states.map(|state| state.trim().to_lowercase()).collect();
    if states.is_empty() {
        return "each peer is revoked".to_owned();
    }
    let states = states.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("each peer is revoked; they were shown as {states}")
}

/// Returns the entry of a snapshot, which has to show a revoked peer.
pub(super) fn require_revoked(trace: &Trace, label: &str) -> Result<u64, Stop> {
    let shown = status_shown(trace, label);
    let (n, status) = shown.or_unproven(&format!("{label:?} shows no status"))?;
    match PeerStatus::means_ended(status) {
        Some(true) => Ok(n),
        Some(false) => Err(Stop::broken(format!("{label:?} shows the peer as {status}"), [n])),
        None => {
            let actual = format!("{label:?} shows the peer as {status}, which is no status of the wire");
            Err(Stop::unproven(actual, [n]))
        }
    }
}

/// Returns whether a snapshot shows a revoked peer.
pub(super) fn is_revoked(trace: &Trace, snapshot: &str) -> bool {
    status_shown(trace, snapshot).is_some_and(|(_, status)| PeerStatus::means_ended(status) == Some(true))
}
