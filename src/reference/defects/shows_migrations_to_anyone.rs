//! Shows a migration to any peer that knows its id.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "shows-migrations-to-anyone",
    &[("6.4", Detection)],
    "Shows a migration to any peer that knows its id.",
    |policy| policy.migrations.is_shown_to = |_, _| true,
);
