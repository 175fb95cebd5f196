//! The platform ignores that a destination stored a record with other content.

use crate::Patch;
use crate::outbound::Untruth;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-changed-records",
    &[("7.3", Detection), ("7.4", Detection)],
    "does not notice that a migrated record has other content at its destination",
    |policy| {
        policy.out.untruths =
            |found| found.into_iter().filter(|untruth| !matches!(untruth, Untruth::Changed { .. })).collect();
    },
);
