//! Everything that the platform sends: what its peers are owed, and when.

use std::sync::Arc;

use jiff::Timestamp;

use super::platform::Platform;

/// What sending needs beside the store: nothing yet.
#[derive(Debug, Default)]
pub(crate) struct Outside {}

/// Decisions about what is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {}

/// Runs every timer that is due up to `until`, in order.
pub(super) async fn run_due_timers(platform: &Arc<Platform>, until: Timestamp) {
    let _ = (platform, until);
}

/// Tries to deliver what a peer is owed; what could not be delivered stays in the store.
pub(crate) async fn deliver_notices(platform: &Arc<Platform>, peer_id: &str) {
    let _ = (platform, peer_id);
}

/// Asks peers for what they declared, before a governance scan.
pub(crate) async fn probe_capabilities(platform: &Arc<Platform>) {
    let _ = platform;
}
