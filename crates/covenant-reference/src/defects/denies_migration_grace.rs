//! The platform refuses open migrations as soon as it revokes.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "denies-migration-grace",
    &[("4.3", Conduct)],
    "Refuses what was open the moment it revokes.",
    |policy| policy.peering.grace_until = |effective_at| effective_at,
);
