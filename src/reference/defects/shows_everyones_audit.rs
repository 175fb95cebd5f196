//! Gives every peer the audit of all peers.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "shows-everyones-audit",
    &[("5.4", Conduct)],
    "Gives every peer the audit of all peers.",
    |rules| rules.audit.belongs_to = |_, _, _| true,
);
