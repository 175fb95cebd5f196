//! The platform skips a replayed batch, and repeats its earlier response.

use serde_json::Value;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "ignores-replayed-batches",
    "Passes over a batch of a stretch of the stream that it has had before, and answers as it did then.",
    |policy| {
        policy.sync.passes_over =
            |stream, batch| stream.is_some_and(|stream| number(&batch.cursor.from) < number(&stream.cursor));
    },
);

fn number(cursor: &Value) -> Option<u64> {
    cursor.as_str()?.parse().ok()
}
