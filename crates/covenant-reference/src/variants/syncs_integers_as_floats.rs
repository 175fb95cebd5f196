//! The platform syncs 2 as 2.0, as in a language with only one number type.

use serde_json::json;

use crate::Patch;
use covenant_model::wire::sync::SyncBatch;

pub(super) const PATCH: Patch = Patch::variant(
    "syncs-integers-as-floats",
    "Syncs 2 as 2.0, as a platform must whose language has one kind of number.",
    |policy| policy.out.override_batch = write,
);

fn write(batch: &mut SyncBatch) {
    for member in batch.records.iter_mut().flat_map(|record| record.payload.values_mut()) {
        if let Some(number) = member.as_f64().filter(|_| member.is_i64()) {
            *member = json!(number);
        }
    }
    batch.sha256 = SyncBatch::digest(&batch.records);
}
