//! The platform accepts a grant from any peer that has its token.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-grant-of-another-peer",
    &[("6.4", Detection)],
    "Takes a grant from whoever has its token.",
    |policy| policy.grants.belongs_to = |_, _| true,
);
