//! The platform drops a contract version as soon as the next one is released.

use crate::Patch;
use crate::store::rows::KnownContract;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-newest-contract-version-only",
    &[("V.3", Conduct)],
    "Drops a contract version the moment the next is released.",
    |policy| policy.handshake.is_supported = is_supported,
);

fn is_supported(known: &[KnownContract], version: u64) -> bool {
    known.iter().map(|contract| contract.version).max() == Some(version)
}
