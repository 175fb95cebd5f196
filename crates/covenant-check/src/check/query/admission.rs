//! Admission of peers, by the status that the target reports.

use serde_json::Value;

use covenant_model::wire::state::PeerStatus;

/// Returns whether a peer of this status is admitted, or `None` if the status is not one of the wire.
pub(in crate::check) fn is_admitted(status: &Value) -> Option<bool> {
    PeerStatus::parse(status.as_str()?).map(PeerStatus::may_call)
}
