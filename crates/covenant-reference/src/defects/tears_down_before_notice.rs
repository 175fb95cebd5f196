//! The platform puts a revocation in force before it sends the notice.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "tears-down-before-notice",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "Tears a peering down, and tells the peer of it then.",
    |policy| policy.peering.announces_first = false,
);
