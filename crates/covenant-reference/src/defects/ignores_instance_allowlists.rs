//! The platform ignores the lists of instances and networks that may call under a grant.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-instance-allowlists",
    &[("6.4", Detection)],
    "Heeds no list of the instances and networks that may call under a grant.",
    |policy| policy.grants.list_takes = |_, _| true,
);
