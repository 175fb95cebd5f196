//! The platform unmounts the first of a peer's overlay addresses, but keeps the others.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "unmounts-first-address-only",
    &[("11.4", Conduct)],
    "Unmounts the first of a peer's overlay addresses, and keeps the others.",
    |policy| policy.peering.unmounts = |_, place| place == 0,
);
