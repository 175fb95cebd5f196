//! The platform sorts the records of a batch before it computes their digest, so it accepts any order.

use serde_json::Value;

use crate::Patch;
use crate::inbound::SyncRules;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-reordered-records",
    &[("6.3", Detection)],
    "Sorts the records of a batch before it makes their digest: their order may be any.",
    |policy| policy.sync.digest_is_right = digest_is_right,
);

/// Returns whether the digest matches in either order. The sender hashes its own order, and two records have
/// only two orders.
fn digest_is_right(body: &Value) -> bool {
    let is_right = SyncRules::default().digest_is_right;
    let mut sorted = body.clone();
    let mut in_order = |reversed: bool| {
        if let Some(records) = sorted["records"].as_array_mut() {
            records.sort_by_key(|record| record["id"].to_string());
            if reversed {
                records.reverse();
            }
        }
        is_right(&sorted)
    };
    in_order(false) || in_order(true)
}
