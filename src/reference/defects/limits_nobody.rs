//! Serves any number of handshakes and heartbeats.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "limits-nobody",
    &[("6.1", Detection)],
    "Serves any number of handshakes and heartbeats.",
    |policy| policy.watch.is_flood = |_, _| false,
);
