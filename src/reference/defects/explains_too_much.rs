//! Refuses an undeclared record, and says in the refusal what stands in it.

use serde_json::json;

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::store::records;

pub(super) const PATCH: Patch = Patch::defect(
    "explains-too-much",
    &[("6.4", Detection)],
    "Refuses an undeclared record, and says in the refusal what stands in it.",
    |rules| {
        rules.resources.amend_refusal = |act, kind, id, reply| {
            if let Some(record) = records::find(act.db, kind, id)? {
                reply.body["details"] = json!({"refused": record.body});
            }
            Ok(())
        };
    },
);
