//! The platform refuses an undeclared record, but reveals its content in the refusal.

use serde_json::json;

use crate::Patch;
use crate::store::records;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "leaks-record-in-error-details",
    &[("6.4", Detection)],
    "Refuses an undeclared record, and says in the refusal what stands in it.",
    |policy| {
        policy.resources.override_refusal = |tx, kind, id, reply| {
            if let Some(record) = records::find(tx.db, kind, id)? {
                reply.body["details"] = json!({"refused": record.body});
            }
            Ok(())
        };
    },
);
