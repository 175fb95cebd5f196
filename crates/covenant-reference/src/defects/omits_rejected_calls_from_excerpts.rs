//! The platform audits rejected calls, but omits them from the caller's excerpt.

use crate::Patch;
use crate::history;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-rejected-calls-from-excerpts",
    &[("5.4", Conduct)],
    "Logs the calls that it refuses, and leaves them out of the caller's excerpt.",
    |policy| {
        policy.audit.belongs_to = |tx, entry, peer_id| {
            history::belongs_to(tx, entry, peer_id) && entry.status.is_some_and(|status| status < 400)
        };
    },
);
