//! Takes a grant that a peer no longer knows for a mistake of its own.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::out;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-401-for-a-mistake",
    &[("2.1", Detection), ("2.3", Detection)],
    "Takes a grant that a peer no longer knows for a mistake of its own.",
    |rules| {
        rules.out.is_broken = |grant, scope, now, called| {
            called.status != Some(401) && (out::Rules::default().is_broken)(grant, scope, now, called)
        }
    },
);
