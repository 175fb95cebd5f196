//! Logs every conflict as skipped, whatever became of it.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::apply::Outcome;
use crate::wire::migration::Conflict;

pub(super) const PATCH: Patch = Patch::defect(
    "calls-overwritten-skipped",
    &[("7.3", Conduct)],
    "Logs every conflict as skipped, whatever became of it.",
    |rules| rules.migrations.conflict_log_of = conflict_log_of,
);

fn conflict_log_of(outcome: &Outcome) -> Vec<Conflict> {
    let mut log = outcome.conflicts.clone();
    for conflict in &mut log {
        conflict.resolution = Some("skipped".to_owned());
    }
    log
}
