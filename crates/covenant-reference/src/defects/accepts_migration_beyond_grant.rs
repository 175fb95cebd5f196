//! The platform accepts steps of kinds that neither the grant nor its dependencies cover.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-migration-beyond-grant",
    &[("6.4", Detection)],
    "Takes steps of kinds that neither the grant nor a dependency of it covers.",
    |policy| policy.migrations.kind_is_covered = |_, _, _| true,
);
