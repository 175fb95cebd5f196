//! The platform agrees only to the oldest contract version in force.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-oldest-contract-version-only",
    &[("V.3", Conduct)],
    "Agrees to the oldest contract version that is in force, and to no later one.",
    |policy| {
        policy.handshake.is_supported = |known, version| {
            let in_force = known.iter().filter(|contract| contract.deprecated_at.is_none());
            in_force.map(|contract| contract.version).min() == Some(version)
        }
    },
);
