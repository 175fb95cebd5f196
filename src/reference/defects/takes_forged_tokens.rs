//! Takes a token for what it names, whoever signed it.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-forged-tokens",
    &[("6.4", Detection)],
    "Takes a token for what it names, whoever signed it.",
    |policy| policy.grants.token_is_genuine = |_, _| true,
);
