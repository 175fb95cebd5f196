//! Does not let its operator revoke a suspended peer.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "holds-on-to-the-suspended",
    &[("11.1", Conduct)],
    "Does not let its operator revoke a suspended peer.",
    |policy| policy.peering.may_be_revoked = |peer| peer.status != PeerStatus::Suspended,
);
