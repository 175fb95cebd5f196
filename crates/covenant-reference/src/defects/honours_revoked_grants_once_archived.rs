//! The platform forgets that a grant was revoked once the grant is archived.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "honours-revoked-grants-once-archived",
    &[("2.2", Conduct)],
    "Forgets that a grant was revoked once it is put into the archive.",
    |policy| {
        policy.grants.is_archived = |_| false;
        policy.grants.is_revoked = |grant| grant.revoked_at.is_some() && grant.archived_at.is_none();
    },
);
