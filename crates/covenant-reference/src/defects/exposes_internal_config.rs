//! The platform shows its configuration to any peer that asks.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "exposes-internal-config",
    &[("6.4", Detection)],
    "Shows how it is set up to any peer that asks.",
    |policy| {
        policy.wire.beyond =
            |call| call.path.ends_with("/internal/config").then(|| json!({"database": "db.internal:5432"}));
    },
);
