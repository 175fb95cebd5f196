//! The platform accepts a token without checking its signature.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-forged-tokens",
    &[("6.4", Detection)],
    "Takes a token for what it names, whoever signed it.",
    |policy| policy.grants.token_is_genuine = |_, _| true,
);
