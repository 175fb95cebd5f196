//! Snapshots of peers: the results of `peer.show`.

use super::operations::peer_shown;
use covenant_model::transcript::Trace;

/// Returns the status in the snapshot with this label.
pub(in crate::check) fn status_shown<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a str)> {
    let (n, peer) = peer_shown(trace, label)?;
    Some((n, peer["status"].as_str()?))
}
