//! Deviation: the peer reports a conflict that did not occur.

use crate::Behaviour;
use covenant_model::wire::migration::Conflict;

/// Behaviour that, as destination, logs a conflict with a record that does not exist.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "invented-conflict",
    about: "as destination logs a conflict with a record that does not exist",
    clauses: &["7.3"],
    claims: Some(|view| {
        let invented = Conflict {
            step_order: 1,
            resource_kind: "skill".to_owned(),
            resource_id: INVENTED.to_owned(),
            constraint: Some("primary_key".to_owned()),
            columns: vec!["id".to_owned()],
            conflicting_record_id: Some(INVENTED.to_owned()),
            resolution: Some("skipped".to_owned()),
            ..Conflict::default()
        };
        view.conflict_log.get_or_insert_default().push(invented);
    }),
    ..Behaviour::CONFORMING
};

const INVENTED: &str = "01a20000-0000-7000-8000-00000000dead";
