//! Sends a heartbeat every twenty seconds.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("beats-often", "Sends a heartbeat every twenty seconds.", |policy| {
        policy.out.heartbeat_seconds = |_| 20;
    });
