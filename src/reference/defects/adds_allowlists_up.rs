//! Takes a grant where one of its allowlists fits, whatever the others say.

use crate::contract::Face::Detection;
use crate::reference::Patch;
use crate::reference::serve::grants;

pub(super) const PATCH: Patch = Patch::defect(
    "adds-allowlists-up",
    &[("6.4", Detection)],
    "Takes a grant where one of its allowlists fits, whatever the others say.",
    |rules| {
        rules.grants.source_is_allowed = |grant, source| {
            !grant.node_instance_ids.is_empty() || (grants::Rules::default().source_is_allowed)(grant, source)
        }
    },
)
.deep();
