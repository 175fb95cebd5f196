//! The platform treats a refusal for a missing scope as valid, whatever the grant states.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-dropped-scopes",
    &[("2.2", Detection)],
    "Does not notice that a peer drops a scope of a grant that it gave.",
    |policy| {
        policy.out.is_broken = |grant, _, now, called| {
            let ended = grant.revoked_at.is_some() || grant.expires_at.is_some_and(|end| now >= end);
            called.status == Some(401) && !ended && !called.error().to_lowercase().contains("expired")
        };
    },
);
