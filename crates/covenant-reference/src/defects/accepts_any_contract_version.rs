//! The platform treats every contract version as supported.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-contract-version",
    &[("12.1", Conduct), ("V.4", Conduct)],
    "Takes every contract version for a supported one.",
    |policy| policy.handshake.is_supported = |_, _| true,
);
