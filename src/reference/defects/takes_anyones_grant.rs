//! Takes a grant from whoever has its token.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-anyones-grant",
    &[("6.4", Detection)],
    "Takes a grant from whoever has its token.",
    |policy| policy.grants.belongs_to = |_, _| true,
);
