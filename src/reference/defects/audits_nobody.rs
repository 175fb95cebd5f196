//! Leaves out of an entry who acted, where a grant carried the call.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::store::rows::AuditEntry;

pub(super) const PATCH: Patch = Patch::defect(
    "audits-nobody",
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
