//! The platform delays every response by a twentieth of a second.

use std::time::Duration;

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("delays-responses", "Takes a twentieth of a second over every answer.", |policy| {
        policy.wire.answers_after = Duration::from_millis(50);
    });
