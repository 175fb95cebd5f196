//! The platform loses its position in a stream from the third batch on.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::sync::SyncBatch;

pub(super) const PATCH: Patch = Patch::defect(
    "rewinds-sync-cursor-by-one-record",
    &[("6.3", Conduct)],
    "Begins a batch one record too early, once a stream is five records long.",
    |policy| policy.out.override_batch = slip,
)
.hard_to_reach();

fn slip(batch: &mut SyncBatch) {
    let from = batch.cursor.from.as_str().and_then(|text| text.parse::<u64>().ok());
    if let Some(from) = from.filter(|from| *from >= 5) {
        batch.cursor.from = json!((from - 1).to_string());
    }
}
