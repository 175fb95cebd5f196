//! Reads whether a peer is suspended.

use serde_json::Value;

use covenant_model::wire::state::PeerStatus;

/// Returns whether a peer is shown as suspended, or `None` if its status is an unknown word.
pub(in crate::check) fn is_suspended(peer: &Value) -> Option<bool> {
    is_suspended_status(peer["status"].as_str()?)
}

/// Returns whether a status is that of a suspended peer, or `None` if it is an unknown word.
pub(in crate::check) fn is_suspended_status(status: &str) -> Option<bool> {
    if PeerStatus::means_suspended(status) {
        return Some(true);
    }
    PeerStatus::read(status).map(|_| false)
}
