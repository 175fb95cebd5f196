//! The platform logs a conflict that did not occur.

use crate::Patch;
use crate::apply::Outcome;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::Conflict;

pub(super) const PATCH: Patch = Patch::defect(
    "invents-a-conflict",
    &[("7.3", Conduct)],
    "Logs a conflict that there was none of.",
    |policy| policy.migrations.conflict_log_of = conflict_log_of,
);

fn conflict_log_of(outcome: &Outcome) -> Vec<Conflict> {
    let invented = Conflict {
        resource_kind: "skill".to_owned(),
        resource_id: "01970000-0000-7000-8000-00000000dead".to_owned(),
        constraint: Some("primary_key".to_owned()),
        columns: vec!["id".to_owned()],
        resolution: Some("skipped".to_owned()),
        ..Conflict::default()
    };
    let mut log = outcome.conflicts.clone();
    log.push(invented);
    log
}
