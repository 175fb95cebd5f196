//! The platform stores the entries of a peer's excerpt in its own audit, as if they had happened here.

use serde_json::Value;

use crate::Patch;
use crate::store::rows::{AuditEntry, Direction};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "stores-excerpt-entries-in-own-audit",
    &[("5.1", Conduct)],
    "Files whatever an excerpt of a peer's says, as if it had happened here.",
    |policy| policy.out.files_excerpt = file,
);

fn file(tx: &Transaction<'_>, excerpt: &Value) -> Result<(), StoreError> {
    for event in excerpt["events"].as_array().into_iter().flatten() {
        let said = |name: &str| event["payload"][name].as_str().unwrap_or_default().to_owned();
        let entry = AuditEntry {
            id: tx.new_id(),
            at: tx.now,
            federation_peer_id: said("federation_peer_id"),
            remote_subject: said("remote_subject"),
            action: said("action"),
            direction: Direction::Inbound,
            route: said("action"),
            status: Some(200),
            correlation_id: tx.correlation_id.clone(),
        };
        table::put(tx.db, &entry)?;
    }
    Ok(())
}
