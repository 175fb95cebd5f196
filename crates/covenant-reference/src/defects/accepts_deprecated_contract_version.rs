//! The platform lets new peerings adopt a deprecated contract version.

use crate::Patch;
use crate::store::rows::KnownContract;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-deprecated-contract-version",
    &[("V.4", Conduct)],
    "Lets new peerings adopt a deprecated contract version.",
    |policy| policy.handshake.is_supported = is_supported,
);

fn is_supported(known: &[KnownContract], version: u64) -> bool {
    known.iter().any(|contract| contract.version == version)
}
