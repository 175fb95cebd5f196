//! The platform logs every conflict as skipped, whatever its resolution.

use crate::Patch;
use crate::apply::Outcome;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::Conflict;

pub(super) const PATCH: Patch = Patch::defect(
    "logs-every-conflict-as-skipped",
    &[("7.3", Conduct)],
    "Logs every conflict as skipped, whatever became of it.",
    |policy| policy.migrations.conflict_log_of = conflict_log_of,
);

fn conflict_log_of(outcome: &Outcome) -> Vec<Conflict> {
    let mut log = outcome.conflicts.clone();
    for conflict in &mut log {
        conflict.resolution = Some("skipped".to_owned());
    }
    log
}
