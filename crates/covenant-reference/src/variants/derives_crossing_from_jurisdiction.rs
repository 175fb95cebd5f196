//! The platform determines a crossing by the jurisdictions of the two sides, not by their residencies.

use serde_json::Value;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "derives-crossing-from-jurisdiction",
    "Counts a crossing by the jurisdictions of the two sides, not by their residencies.",
    |policy| {
        policy.migrations.place_of =
            |peer| peer.metadata.get("jurisdiction").and_then(Value::as_str).unwrap_or_default();
        policy.migrations.own_place = |tx| Ok(tx.settings.jurisdiction.clone());
    },
);
