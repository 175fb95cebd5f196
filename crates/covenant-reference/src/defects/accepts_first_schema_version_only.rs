//! The platform accepts migrations of the first schema version only, whatever it declares.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-first-schema-version-only",
    &[("3.2", Conduct)],
    "Takes migrations of the first schema version only, whatever it declares.",
    |policy| policy.capabilities.takes_schema = |_, given| given.is_null() || given == 1,
);
