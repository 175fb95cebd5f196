//! The platform reports a moved residency only of peers with which nothing was migrated.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-residency-change-after-migration",
    &[("8.2", Detection)],
    "Reports a moved residency only of peers with which nothing was migrated.",
    |policy| policy.peering.residency_move_is_reported = |migrated| !migrated,
);
