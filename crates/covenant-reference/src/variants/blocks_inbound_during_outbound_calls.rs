//! The platform answers no call while it makes one.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("blocks-inbound-during-outbound-calls", "Answers no call while it makes one.", |policy| {
        policy.wire.does_one_thing_at_a_time = true;
    });
