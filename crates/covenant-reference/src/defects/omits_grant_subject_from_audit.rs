//! The platform omits the subject from an audit entry if a grant carried the call.

use crate::Patch;
use crate::store::rows::AuditEntry;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-grant-subject-from-audit",
    &[("5.2", Conduct)],
    "Leaves out of an entry who acted, where a grant carried the call.",
    |policy| {
        policy.audit.override_entry = |entry| {
            let by_grant = !entry.remote_subject.starts_with("fed:");
            Some(AuditEntry {
                remote_subject: if by_grant { String::new() } else { entry.remote_subject },
                ..entry
            })
        }
    },
);
