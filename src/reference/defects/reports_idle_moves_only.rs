//! Reports a moved residency only of peers with which nothing was migrated.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-idle-moves-only",
    &[("8.2", Detection)],
    "Reports a moved residency only of peers with which nothing was migrated.",
    |policy| policy.peering.residency_move_is_reported = |migrated| !migrated,
);
