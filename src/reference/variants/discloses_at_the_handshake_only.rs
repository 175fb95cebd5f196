//! Discloses itself in its answers, and leaves it out of its own heartbeats.

use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "discloses-at-the-handshake-only",
    "Discloses itself in its answers, and leaves it out of its own heartbeats.",
    |rules| {
        rules.out.amend_heartbeat = |body| {
            body.remove("metadata");
        }
    },
);
