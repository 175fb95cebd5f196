//! The platform does not let its operator revoke a peer that has not been accepted.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-revocation-of-proposed-peer",
    &[("11.1", Conduct)],
    "Does not let its operator revoke a peer that has not been accepted.",
    |policy| policy.peering.may_be_revoked = |peer| peer.status != PeerStatus::Proposed,
);
