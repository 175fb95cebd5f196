//! The platform records the contract version of an accept that it refuses.

use serde_json::Value;

use crate::Patch;
use crate::handshake::contract;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "records-version-of-rejected-accept",
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
