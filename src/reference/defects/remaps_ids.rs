//! Keeps a migrated record under an id of its own making.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-ids",
    &[("7.4", Conduct)],
    "Keeps a migrated record under an id of its own making.",
    |rules| rules.migrations.kept_id = |act, _| act.new_id(),
);
