//! The platform ignores the rejection of a schema version that the peer declared.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-bogus-schemas",
    &[("3.2", Detection), ("3.4", Detection)],
    "does not notice that a declared schema version is rejected",
    |policy| {
        policy.out.is_schema_drift = |_| false;
    },
);
