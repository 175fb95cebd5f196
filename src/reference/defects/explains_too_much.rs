//! Refuses an undeclared record, and says in the refusal what stands in it.

use serde_json::json;

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::store::records;

pub(super) const PATCH: Patch = Patch::defect(
    "explains-too-much",
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
