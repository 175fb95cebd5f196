//! The platform treats twenty rejected targets, and no fewer, as enumeration.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "reports-enumeration-after-20-rejections",
    "Takes twenty refused things for a walk, and not one fewer.",
    |policy| {
        policy.watch.is_walk = |targets, absent| targets + absent >= 20;
    },
);
