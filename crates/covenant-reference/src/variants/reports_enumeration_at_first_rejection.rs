//! The platform treats the first rejected target as enumeration.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "reports-enumeration-at-first-rejection",
    "Takes the first refused thing for a walk.",
    |policy| {
        policy.watch.is_walk = |targets, absent| targets >= 1 || absent >= 20;
    },
);
