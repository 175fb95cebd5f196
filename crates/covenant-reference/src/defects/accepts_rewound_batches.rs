//! The platform rejects a gap in a stream, but accepts a batch that goes back in it.

use serde_json::Value;

use crate::Patch;
use crate::store::rows::Stream;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::sync::SyncBatch;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-rewound-batches",
    &[("6.3", Detection)],
    "Minds a gap in a stream, and takes a batch that goes back in it.",
    |policy| policy.sync.joins_on = joins_on,
);

fn joins_on(stream: Option<&Stream>, batch: &SyncBatch) -> bool {
    stream.is_none_or(|stream| number(&batch.cursor.from) <= number(&stream.cursor))
}

fn number(cursor: &Value) -> Option<u64> {
    cursor.as_str()?.parse().ok()
}
