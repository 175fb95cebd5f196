//! The platform answers a handshake for one contract version with the next version.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "agrees-to-other-contract-version",
    &[("12.1", Conduct), ("V.2", Conduct), ("V.3", Conduct), ("A.1", Conduct)],
    "Answers a handshake for one contract version with the next.",
    |policy| policy.handshake.version_agreed = |asked| asked + 1,
);
