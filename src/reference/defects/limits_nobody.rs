//! Serves any number of handshakes and heartbeats.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "limits-nobody",
    &[("6.1", Detection)],
    "Serves any number of handshakes and heartbeats.",
    |rules| rules.watch.is_flood = |_, _| false,
);
