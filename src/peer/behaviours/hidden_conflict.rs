//! Meets a conflict and keeps quiet about it.

use crate::peer::Behaviour;

/// As destination leaves every conflict out of its log, and claims the skipped steps as applied.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "hidden-conflict",
    about: "as destination leaves every conflict out of its log, and claims the skipped steps as applied",
    clauses: &["7.3"],
    claims: Some(|view| {
        view.conflict_log = Some(vec![]);
        view.applied_count = view.applied_count.map(|count| count + view.skipped_count.unwrap_or(0));
        view.skipped_count = Some(0);
    }),
    ..Behaviour::HONEST
};
