//! The platform measures the five minutes of grace from the opening of a migration.

use crate::Patch;
use crate::peering::GRACE;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "measures-grace-from-migration-opening",
    &[("4.3", Conduct)],
    "Measures the five minutes of grace from the opening of a migration.",
    |policy| {
        policy.migrations.grace_covers = |_, migration, now| {
            migration.status == "transferring" && now.duration_since(migration.opened_at) < GRACE
        }
    },
)
.hard_to_reach();
