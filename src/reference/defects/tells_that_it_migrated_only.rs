//! Tells of every migration alike, and of a crossing nothing more.

use serde_json::json;

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::peering;
use crate::reference::store::StoreError;
use crate::reference::store::rows::{Migration, Peer};

pub(super) const PATCH: Patch = Patch::defect(
    "tells-that-it-migrated-only",
    &[("8.2", Conduct)],
    "Tells of every migration alike, and of a crossing nothing more.",
    |rules| {
        rules.migrations.tells_crossing = false;
        rules.out.tells_crossing = false;
        rules.migrations.at_completion = tell;
    },
);

fn tell(act: &Act<'_>, peer: &Peer, migration: &Migration) -> Result<(), StoreError> {
    let facts = json!({"migration_id": migration.id, "data_residency": peer.data_residency});
    peering::tell_operator(act, peer, "migration.completed", "low", facts)
}
