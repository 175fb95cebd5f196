//! The platform suspends every peer on a contract version as soon as that version is deprecated.

use crate::Patch;
use crate::governance;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "suspends-peers-on-deprecated-contract",
    &[("V.4", Conduct)],
    "Suspends every peer that has a contract version, the moment that it is deprecated.",
    |policy| policy.handshake.at_deprecation = suspend,
);

fn suspend(tx: &Transaction<'_>, version: u64) -> Result<(), StoreError> {
    for mut peer in table::all::<Peer>(tx.db)? {
        if peer.contract_version_agreed == Some(version) {
            governance::suspend(tx, &mut peer, "its contract version is deprecated")?;
        }
    }
    Ok(())
}
