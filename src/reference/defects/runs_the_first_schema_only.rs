//! Takes migrations of the first schema version only, whatever it declares.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "runs-the-first-schema-only",
    &[("3.2", Conduct)],
    "Takes migrations of the first schema version only, whatever it declares.",
    |rules| rules.capabilities.takes_schema = |_, given| given.is_null() || given == 1,
);
