//! The platform lets a peer call accept and heartbeat at most six times a minute.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "applies-strict-rate-limit",
    "Lets a peer call accept and heartbeat no more than six times a minute.",
    |policy| policy.watch.is_flood = |calls_before, _| calls_before >= 6,
);
