//! The platform sends every peer the migrations of all peers, beside the peer's own entries.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "shows-migrations-of-all-peers-in-excerpt",
    &[("5.4", Conduct)],
    "Gives every peer the migrations of all peers, beside what is its own.",
    |policy| {
        policy.audit.belongs_to =
            |_, entry, peer_id| entry.federation_peer_id == peer_id || entry.route.ends_with("/migrations");
    },
)
.hard_to_reach();
