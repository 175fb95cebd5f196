//! The platform accepts a grant if one of its allowlists matches, whatever the others say.

use crate::Patch;
use crate::inbound::grants;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "treats-allowlists-as-alternatives",
    &[("6.4", Detection)],
    "Takes a grant where one of its allowlists fits, whatever the others say.",
    |policy| {
        policy.grants.source_is_allowed = |grant, source| {
            !grant.node_instance_ids.is_empty()
                || (grants::Policy::default().source_is_allowed)(grant, source)
        }
    },
)
.hard_to_reach();
