//! The platform omits the peer's id from an audit entry.

use crate::Patch;
use crate::store::rows::AuditEntry;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-peer-id-from-audit",
    &[("5.1", Conduct), ("5.4", Conduct)],
    "Leaves out of an entry which peer it is about.",
    |policy| {
        policy.audit.override_entry = |entry| Some(AuditEntry { federation_peer_id: String::new(), ..entry });
        policy.audit.belongs_to = |_, _, _| true;
    },
);
