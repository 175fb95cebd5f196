//! Unmounts the first of a peer's overlay addresses, and keeps the others.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "unmounts-the-first-address",
    &[("11.4", Conduct)],
    "Unmounts the first of a peer's overlay addresses, and keeps the others.",
    |policy| policy.peering.unmounts = |_, place| place == 0,
);
