//! The platform sends its disclosure in its responses, but not in its own heartbeats.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "discloses-in-responses-only",
    "Discloses itself in its answers, and leaves it out of its own heartbeats.",
    |policy| {
        policy.out.override_heartbeat = |body| {
            body.remove("metadata");
        }
    },
);
