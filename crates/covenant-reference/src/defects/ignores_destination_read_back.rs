//! The platform believes every claim of a destination about a migration.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-destination-read-back",
    &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
    "reads back what it migrated and reports nothing that is untrue of it",
    |policy| {
        policy.out.untruths = |_| Vec::new();
    },
);
