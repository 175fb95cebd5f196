//! The platform audits each success twice, under two names, and no rejection.

use crate::Patch;
use crate::store::rows::AuditEntry;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "audits-successes-twice-rejections-never",
    &[("5.1", Conduct)],
    "Writes down twice what it answered well, under two names, and nothing of what it refused.",
    |policy| {
        policy.audit.override_entry = |entry| was_granted(&entry).then_some(entry);
        policy.audit.beside = |entry| {
            let action = format!("{}.seen", entry.action);
            was_granted(entry).then(|| AuditEntry { action, ..entry.clone() })
        };
    },
);

fn was_granted(entry: &AuditEntry) -> bool {
    entry.status.is_some_and(|status| status < 400)
}
