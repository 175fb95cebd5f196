//! The platform sends a heartbeat every twenty seconds.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("sends-frequent-heartbeats", "Sends a heartbeat every twenty seconds.", |policy| {
        policy.out.heartbeat_seconds = |_| 20;
    });
