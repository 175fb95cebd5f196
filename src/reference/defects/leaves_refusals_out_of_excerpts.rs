//! Logs the calls that it refuses, and leaves them out of the caller's excerpt.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::history;

pub(super) const PATCH: Patch = Patch::defect(
    "leaves-refusals-out-of-excerpts",
    &[("5.4", Conduct)],
    "Logs the calls that it refuses, and leaves them out of the caller's excerpt.",
    |rules| {
        rules.audit.belongs_to = |act, entry, peer_id| {
            history::belongs_to(act, entry, peer_id) && entry.status.is_some_and(|status| status < 400)
        };
    },
);
