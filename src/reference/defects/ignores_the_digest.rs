//! Takes another text under the right contract version.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-the-digest",
    &[("V.2", Detection)],
    "Takes another text under the right contract version.",
    |policy| policy.handshake.digest_matches = |_, _| true,
);
