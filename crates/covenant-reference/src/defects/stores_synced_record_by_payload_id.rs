//! The platform stores a synced record under the id in its payload, whatever the record's own id is.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "stores-synced-record-by-payload-id",
    &[("6.3", Detection)],
    "Keeps what it syncs under the id that the payload names, whatever id it stands under.",
    |policy| {
        policy.sync.names_agree = |_| true;
        policy.sync.kept_id =
            |record| record.payload.get("id").and_then(|id| id.as_str()).unwrap_or(&record.id);
    },
);
