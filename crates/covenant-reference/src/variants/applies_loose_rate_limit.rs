//! The platform lets a peer call accept and heartbeat 250 times a minute.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "applies-loose-rate-limit",
    "Lets a peer call accept and heartbeat 250 times a minute.",
    |policy| {
        policy.watch.is_flood = |calls_before, _| calls_before >= 250;
    },
);
