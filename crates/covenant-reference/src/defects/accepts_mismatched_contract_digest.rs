//! The platform accepts the digest of another text with a supported contract version.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-mismatched-contract-digest",
    &[("V.2", Detection)],
    "Takes another text under the right contract version.",
    |policy| policy.handshake.digest_matches = |_, _| true,
);
