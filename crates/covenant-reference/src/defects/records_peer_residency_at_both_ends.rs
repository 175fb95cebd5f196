//! The platform records the peer's residency at both ends of a crossing.

use serde_json::{Value, json};

use crate::Patch;
use crate::store::rows::{Direction, Migration};
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "records-peer-residency-at-both-ends",
    &[("8.3", Conduct)],
    "Writes the peer's place down at both ends of a crossing.",
    |policy| policy.migrations.override_migration = amend,
);

fn amend(migration: &mut Migration) {
    let peers_end = if migration.direction == Direction::Inbound { "from" } else { "to" };
    if let Some(crossing) = migration.metadata.get_mut("cross_jurisdiction") {
        let place: Value = crossing[peers_end].take();
        *crossing = json!({"from": place, "to": place});
    }
}
