//! The platform writes each audit entry twice.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "duplicates-audit-entries",
    &[("5.1", Conduct)],
    "Writes each entry of its audit twice.",
    |policy| {
        policy.audit.beside = |entry| Some(entry.clone());
    },
);
