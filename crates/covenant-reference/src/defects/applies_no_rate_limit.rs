//! The platform serves any number of handshakes and heartbeats.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "applies-no-rate-limit",
    &[("6.1", Detection)],
    "Serves any number of handshakes and heartbeats.",
    |policy| policy.watch.is_flood = |_, _| false,
);
