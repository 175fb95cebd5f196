//! Meets a conflict and keeps quiet about it.

use crate::peer::Behaviour;

/// As destination leaves the conflicts of what it skipped out of its log, and claims the skipped steps as applied.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "hidden-conflict",
    about: "as destination leaves the conflicts of what it skipped out of its log, and claims the skipped steps as applied",
    clauses: &["7.3"],
    claims: Some(|view| {
        // What was refused, or written over as its source wished, its source can't find out.
        if view.skipped_count.is_none_or(|count| count == 0) {
            return;
        }
        view.conflict_log = Some(vec![]);
        view.applied_count = view.applied_count.map(|count| count + view.skipped_count.unwrap_or(0));
        view.skipped_count = Some(0);
    }),
    ..Behaviour::HONEST
};
