//! Suspends every peer that has a contract version, the moment that it is deprecated.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::govern;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, table};

pub(super) const PATCH: Patch = Patch::defect(
    "cuts-off-the-deprecated",
    &[("V.4", Conduct)],
    "Suspends every peer that has a contract version, the moment that it is deprecated.",
    |rules| rules.handshake.at_deprecation = suspend,
);

fn suspend(act: &Act<'_>, version: u64) -> Result<(), StoreError> {
    for mut peer in table::all::<Peer>(act.db)? {
        if peer.contract_version_agreed == Some(version) {
            govern::suspend(act, &mut peer, "its contract version is deprecated")?;
        }
    }
    Ok(())
}
