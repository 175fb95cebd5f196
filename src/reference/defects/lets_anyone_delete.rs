//! Deletes any record for a peer that asks, whoever brought it.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "lets-anyone-delete",
    &[("11.2", Conduct)],
    "Deletes any record for a peer that asks, whoever brought it.",
    |rules| rules.migrations.may_delete = |_, _| true,
);
