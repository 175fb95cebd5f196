//! The platform sends every peer the audit of all peers.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "shows-audit-of-all-peers",
    &[("5.4", Conduct)],
    "Gives every peer the audit of all peers.",
    |policy| policy.audit.belongs_to = |_, _, _| true,
);
