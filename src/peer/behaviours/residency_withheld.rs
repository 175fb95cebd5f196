//! Says nowhere where its data reside.

use crate::peer::Behaviour;

/// Leaves its data residency out of every request.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "residency-withheld",
    about: "leaves its data residency out of every request",
    clauses: &["8.1", "E.3"],
    request: Some(|_, body| {
        if let Some(members) = body.as_object_mut() {
            members.remove("data_residency");
        }
    }),
    ..Behaviour::HONEST
};
