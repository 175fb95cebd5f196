//! The platform reports every migration in the same way, and does not report crossings.

use serde_json::json;

use crate::Patch;
use crate::peering;
use crate::store::StoreError;
use crate::store::rows::{Migration, Peer};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-migration-without-crossing",
    &[("8.2", Conduct)],
    "Tells of every migration alike, and of a crossing nothing more.",
    |policy| {
        policy.migrations.tells_crossing = false;
        policy.out.tells_crossing = false;
        policy.migrations.at_completion = tell;
    },
);

fn tell(tx: &Transaction<'_>, peer: &Peer, migration: &Migration) -> Result<(), StoreError> {
    let facts = json!({"migration_id": migration.id, "data_residency": peer.data_residency});
    peering::tell_operator(tx, peer, "migration.completed", "low", facts)
}
