//! Limits heartbeats, and takes any number of handshakes.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "counts-no-handshakes",
    &[("6.1", Detection)],
    "Limits heartbeats, and takes any number of handshakes.",
    |policy| policy.watch.counts_handshakes = false,
);
