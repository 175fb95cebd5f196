//! The platform alters the last record of a batch after the digest is computed.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::sync::SyncBatch;

pub(super) const PATCH: Patch = Patch::defect(
    "alters-records-after-digest",
    &[("6.3", Conduct)],
    "Alters the last record of a batch after the digest was made.",
    |policy| policy.out.override_batch = alter,
);

fn alter(batch: &mut SyncBatch) {
    if let Some(last) = batch.records.last_mut() {
        last.payload.insert("altered".to_owned(), json!(true));
    }
}
