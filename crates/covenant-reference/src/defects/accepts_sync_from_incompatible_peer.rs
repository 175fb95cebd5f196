//! The platform reports an incompatible version, but continues to sync.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-sync-from-incompatible-peer",
    &[("10.1", Detection)],
    "Reports a version that does not go with its own, and goes on syncing.",
    |policy| policy.sync.freezes = |_| false,
);
