//! Answers no call while it makes one.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("one-thing-at-a-time", "Answers no call while it makes one.", |policy| {
        policy.wire.does_one_thing_at_a_time = true;
    });
