//! Reports a version that does not go with its own, and goes on syncing.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "syncs-across-versions",
    &[("10.1", Detection)],
    "Reports a version that does not go with its own, and goes on syncing.",
    |policy| policy.sync.freezes = |_| false,
);
