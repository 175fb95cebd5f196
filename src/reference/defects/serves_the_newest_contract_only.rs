//! Drops a contract version the moment the next is released.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::store::rows::KnownContract;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-the-newest-contract-only",
    &[("V.3", Conduct)],
    "Drops a contract version the moment the next is released.",
    |policy| policy.handshake.is_supported = is_supported,
);

fn is_supported(known: &[KnownContract], version: u64) -> bool {
    known.iter().map(|contract| contract.version).max() == Some(version)
}
