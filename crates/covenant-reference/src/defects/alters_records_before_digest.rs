//! The platform syncs other content than its operator stored, under a digest that matches it.

use serde_json::Value;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::sync::SyncBatch;

pub(super) const PATCH: Patch = Patch::defect(
    "alters-records-before-digest",
    &[("6.3", Conduct)],
    "Syncs names in capitals, under a digest that is right for them.",
    |policy| policy.out.override_batch = capitalise,
);

fn capitalise(batch: &mut SyncBatch) {
    for record in &mut batch.records {
        if let Some(Value::String(name)) = record.payload.get_mut("name") {
            *name = name.to_uppercase();
        }
    }
    batch.sha256 = SyncBatch::digest(&batch.records);
}
