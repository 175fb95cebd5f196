//! The platform forgets the acknowledgement of the contract when the peering ends.

use crate::Patch;
use crate::store::rows::Peer;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "forgets-acknowledgement-at-peering-end",
    &[("A.2", Conduct)],
    "Forgets with the peering that the contract was acknowledged.",
    |policy| policy.peering.override_revoked = amend,
);

fn amend(peer: &mut Peer) {
    peer.contract_version_agreed = None;
    peer.contract_digest = None;
    peer.acknowledged_at = None;
}
