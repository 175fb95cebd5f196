//! The platform deletes the audit of a peer that revokes the peering.

use crate::Patch;
use crate::store::rows::{AuditEntry, Side};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-audit-of-revoking-peer",
    &[("11.3", Conduct)],
    "Drops the audit of a peer that leaves by itself.",
    |policy| {
        policy.peering.audit_deleted_on_revocation = |tx, peer| {
            if peer.revoked_by != Some(Side::Remote) {
                return Ok(());
            }
            for entry in table::of_peer::<AuditEntry>(tx.db, &peer.id)? {
                table::remove::<AuditEntry>(tx.db, &entry.id)?;
            }
            Ok(())
        }
    },
)
.hard_to_reach();
