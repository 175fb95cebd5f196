//! The platform keeps a peer's overlay addresses after the peering.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "leaves-the-overlay-mounted",
    &[("11.4", Conduct)],
    "Keeps a peer's overlay addresses after the peering.",
    |policy| policy.peering.unmounts = |_, _| false,
);
