//! The platform declares agents, but answers every request for one with not found.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-declared-agents-as-not-found",
    &[("3.1", Conduct)],
    "Declares agents, and says of each that it is not there.",
    |policy| policy.resources.override_record = |record| Some(record).filter(|record| record.kind != "agent"),
);
