//! Files whatever an excerpt of a peer's says, as if it had happened here.

use serde_json::Value;

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::store::rows::{AuditEntry, Direction};
use crate::reference::store::{StoreError, table};

pub(super) const PATCH: Patch = Patch::defect(
    "files-foreign-entries",
    &[("5.1", Conduct)],
    "Files whatever an excerpt of a peer's says, as if it had happened here.",
    |rules| rules.out.files_excerpt = file,
);

fn file(act: &Act<'_>, excerpt: &Value) -> Result<(), StoreError> {
    for event in excerpt["events"].as_array().into_iter().flatten() {
        let said = |name: &str| event["payload"][name].as_str().unwrap_or_default().to_owned();
        let entry = AuditEntry {
            id: act.new_id(),
            at: act.now,
            federation_peer_id: said("federation_peer_id"),
            remote_subject: said("remote_subject"),
            action: said("action"),
            direction: Direction::Inbound,
            route: said("action"),
            status: Some(200),
            correlation_id: act.correlation_id.clone(),
        };
        table::put(act.db, &entry)?;
    }
    Ok(())
}
