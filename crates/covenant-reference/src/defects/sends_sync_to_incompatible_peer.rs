//! The platform accepts no sync from a peer with an incompatible version, but sends sync to it.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "sends-sync-to-incompatible-peer",
    &[("10.1", Detection)],
    "Takes no sync from a peer whose version does not go with its own, and sends it its own.",
    |policy| policy.out.freezes = |_| false,
);
