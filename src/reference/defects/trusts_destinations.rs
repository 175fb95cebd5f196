//! What a destination claims of a migration is believed.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "trusts-destinations",
    &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
    "reads back what it migrated and reports nothing that is untrue of it",
    |policy| {
        policy.out.untruths = |_| Vec::new();
    },
);
