//! The platform records a crossing with its two ends swapped.

use serde_json::json;

use crate::Patch;
use crate::store::rows::Migration;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "swaps-ends-of-recorded-crossing",
    &[("8.3", Conduct)],
    "Writes a crossing down with its two ends exchanged.",
    |policy| policy.migrations.override_migration = amend,
);

fn amend(migration: &mut Migration) {
    if let Some(crossing) = migration.metadata.get_mut("cross_jurisdiction") {
        *crossing = json!({"from": crossing["to"], "to": crossing["from"]});
    }
}
