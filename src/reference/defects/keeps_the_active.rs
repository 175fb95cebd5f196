//! Does not let its operator revoke a peer that has not been accepted.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-the-active",
    &[("11.1", Conduct)],
    "Does not let its operator revoke a peer that has not been accepted.",
    |policy| policy.peering.may_be_revoked = |peer| peer.status != PeerStatus::Proposed,
);
