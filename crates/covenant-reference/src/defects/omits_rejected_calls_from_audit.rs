//! The platform audits only successful calls.

use crate::Patch;
use crate::store::rows::AuditEntry;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-rejected-calls-from-audit",
    &[("5.1", Conduct)],
    "Writes down only the calls that it answered well.",
    |policy| policy.audit.override_entry = amend,
);

fn amend(entry: AuditEntry) -> Option<AuditEntry> {
    entry.status.is_some_and(|status| status < 400).then_some(entry)
}
