//! The platform accepts a step whose payload has the id of another record.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-mismatched-payload-ids",
    &[("7.4", Conduct)],
    "Takes a step whose payload is that of another record.",
    |policy| policy.migrations.ids_agree = |_| true,
);
