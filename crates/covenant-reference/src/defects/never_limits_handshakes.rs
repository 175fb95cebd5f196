//! The platform limits heartbeats, but accepts any number of handshakes.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "never-limits-handshakes",
    &[("6.1", Detection)],
    "Limits heartbeats, and takes any number of handshakes.",
    |policy| policy.watch.counts_handshakes = false,
);
