//! Variants of sync.

use serde_json::Value;

use crate::Patch;

/// Variants in the acceptance of batches.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant(
        "ignores-replayed-batches",
        "Skips a replayed batch, and repeats its earlier response.",
        |policy| {
            policy.sync.skips_replay = |stream, batch| {
                stream.is_some_and(|stream| position(&batch.cursor.from) < position(&stream.cursor))
            };
        },
    ),
    Patch::variant(
        "ignores-payload-id-on-sync",
        "Stores a synced record under the record's own id, whatever id its payload names.",
        |policy| policy.sync.ids_match = |_| true,
    ),
];

fn position(cursor: &Value) -> Option<u64> {
    cursor.as_str()?.parse().ok()
}
