//! The platform suspends at the second breach of a norm, which is the strictest choice that the contract
//! allows.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "suspends-at-the-second-breach",
    "Suspends at the second breach of a norm, as strictly as the contract allows.",
    |policy| policy.govern.suspends = |breaches, _| breaches >= 2,
);
