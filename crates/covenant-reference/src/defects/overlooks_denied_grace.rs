//! The platform does not notice that a revoking peer cuts off open migrations.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-denied-grace",
    &[("4.3", Detection)],
    "Does not notice that a peer cuts off what was in flight when it left.",
    |policy| policy.out.cuts_grace = |_, _, _| false,
);
