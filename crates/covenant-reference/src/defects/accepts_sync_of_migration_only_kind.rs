//! The platform accepts a sync of a kind that it declared for migration only.

use crate::Patch;
use crate::inbound::SyncRules;
use crate::store::rows::Capability;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-sync-of-migration-only-kind",
    &[("7.5", Detection)],
    "Takes a sync of a kind that it declared for migration only.",
    |policy| policy.sync.lets_in = lets_in,
);

fn lets_in(row: &Capability) -> bool {
    row.direction == "migration_only" || (SyncRules::default().lets_in)(row)
}
