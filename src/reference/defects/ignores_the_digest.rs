//! Takes another text under the right contract version.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-the-digest",
    &[("V.2", Detection)],
    "Takes another text under the right contract version.",
    |rules| rules.handshake.digest_matches = |_, _| true,
);
