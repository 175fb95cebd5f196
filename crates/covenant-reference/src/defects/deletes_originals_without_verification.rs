//! The platform deletes the originals before it verifies that the records arrived.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-originals-without-verification",
    &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
    "deletes the originals of a migration whatever was read back",
    |policy| {
        policy.out.deletes_originals = |_| true;
    },
)
.hard_to_reach();
