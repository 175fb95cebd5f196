//! Forgets with the peering that the contract was acknowledged.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::store::rows::Peer;

pub(super) const PATCH: Patch = Patch::defect(
    "unlearns-the-acknowledgement",
    &[("A.2", Conduct)],
    "Forgets with the peering that the contract was acknowledged.",
    |rules| rules.peering.amend_revoked = amend,
);

fn amend(peer: &mut Peer) {
    peer.contract_version_agreed = None;
    peer.contract_digest = None;
    peer.acknowledged_at = None;
}
