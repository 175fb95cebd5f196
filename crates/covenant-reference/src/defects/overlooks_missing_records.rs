//! The platform ignores that a record is not stored under its id at the destination.

use crate::Patch;
use crate::outbound::Untruth;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-missing-records",
    &[("7.2", Detection), ("7.4", Detection)],
    "does not notice that a record which was claimed as migrated is not there",
    |policy| {
        policy.out.untruths =
            |found| found.into_iter().filter(|untruth| !matches!(untruth, Untruth::Missing { .. })).collect();
    },
);
