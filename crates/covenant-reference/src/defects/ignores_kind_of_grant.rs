//! The platform serves every declared kind under any grant.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-kind-of-grant",
    &[("6.4", Detection)],
    "Serves every kind that it declared under any grant.",
    |policy| policy.grants.covers_kind = |_, _| true,
);
