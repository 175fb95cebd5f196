//! The platform shows a migration to any peer that knows its id.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "exposes-migration-to-any-peer",
    &[("6.4", Detection)],
    "Shows a migration to any peer that knows its id.",
    |policy| policy.migrations.is_shown_to = |_, _| true,
);
