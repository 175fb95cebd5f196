//! Reports a moved residency only of peers with which nothing was migrated.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-idle-moves-only",
    &[("8.2", Detection)],
    "Reports a moved residency only of peers with which nothing was migrated.",
    |rules| rules.peering.residency_move_is_reported = |migrated| !migrated,
);
