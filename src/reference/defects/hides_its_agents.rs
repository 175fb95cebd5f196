//! Declares agents, and says of each that it is not there.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "hides-its-agents",
    &[("3.1", Conduct)],
    "Declares agents, and says of each that it is not there.",
    |rules| rules.resources.amend_record = |record| Some(record).filter(|record| record.kind != "agent"),
);
