//! Writes down the contract version of an accept that it refuses.

use serde_json::Value;

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::handshake::contract;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, table};
use crate::reference::transaction::Transaction;

pub(super) const PATCH: Patch = Patch::defect(
    "records-what-it-refuses",
    &[("V.2", Detection)],
    "Writes down the contract version of an accept that it refuses.",
    |policy| policy.handshake.at_refusal = record,
);

fn record(tx: &Transaction<'_>, peer: &Peer, body: &Value) -> Result<(), StoreError> {
    match contract::version_asked(body.get("contract_version")) {
        Some(asked) if peer.contract_version_agreed.is_none() => {
            table::put(tx.db, &Peer { contract_version_agreed: Some(asked), ..peer.clone() })
        }
        _ => Ok(()),
    }
}
