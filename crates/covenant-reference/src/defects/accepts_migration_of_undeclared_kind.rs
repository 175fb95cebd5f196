//! The platform accepts records of any kind in a migration, declared or not.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-migration-of-undeclared-kind",
    &[("6.4", Detection)],
    "Takes records of any kind in a migration, declared or not.",
    |policy| {
        policy.migrations.kind_is_covered = |_, _, _| true;
        policy.migrations.takes_undeclared = |_| true;
    },
);
