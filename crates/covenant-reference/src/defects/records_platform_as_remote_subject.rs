//! The platform records itself as the remote subject.

use crate::Patch;
use crate::store::rows::AuditEntry;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "records-platform-as-remote-subject",
    &[("5.2", Conduct)],
    "Writes the platform itself down as the remote subject.",
    |policy| {
        policy.audit.override_entry =
            |entry| Some(AuditEntry { remote_subject: "platform".to_owned(), ..entry });
    },
);
