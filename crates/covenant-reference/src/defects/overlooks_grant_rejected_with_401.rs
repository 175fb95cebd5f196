//! The platform treats a 401 for a held grant as its own mistake.

use crate::Patch;
use crate::outbound;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-grant-rejected-with-401",
    &[("2.1", Detection), ("2.3", Detection)],
    "Takes a grant that a peer no longer knows for a mistake of its own.",
    |policy| {
        policy.out.is_broken = |grant, scope, now, called| {
            called.status != Some(401) && (outbound::Policy::default().is_broken)(grant, scope, now, called)
        }
    },
);
