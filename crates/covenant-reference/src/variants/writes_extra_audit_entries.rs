//! The platform writes a second audit entry, of another action, beside each entry.

use crate::Patch;
use crate::store::rows::AuditEntry;

pub(super) const PATCH: Patch = Patch::variant(
    "writes-extra-audit-entries",
    "Writes a second entry, of another action, beside each of its audit.",
    |policy| {
        policy.audit.beside =
            |entry| Some(AuditEntry { action: format!("{}.seen", entry.action), ..entry.clone() });
    },
);
