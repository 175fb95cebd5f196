//! The platform reports a moved residency only of peers to which it sent data.

use crate::Patch;
use crate::store::rows::Direction;

pub(super) const PATCH: Patch = Patch::variant(
    "reports-residency-change-of-recipients",
    "Reports the move of a peer only where it had sent data to it.",
    |policy| {
        policy.peering.bears_on =
            |migration| migration.direction == Direction::Outbound && migration.status == "completed";
    },
);
