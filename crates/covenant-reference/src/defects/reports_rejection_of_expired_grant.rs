//! The platform treats the refusal of an expired grant as a breach.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-rejection-of-expired-grant",
    &[("2.1", Detection)],
    "Reports a peer that refuses a grant after its end.",
    |policy| {
        policy.out.is_broken =
            |grant, _, _, called| grant.revoked_at.is_none() && matches!(called.status, Some(401 | 403));
    },
);
