//! The platform forgets a peer's acknowledgement of the contract when its operator revokes the peer.

use crate::Patch;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "forgets-acknowledgement-on-revoke",
    &[("A.2", Conduct)],
    "Forgets of a peer that it dismissed that the contract was acknowledged.",
    |policy| {
        policy.peering.override_revoked = |peer| {
            if peer.revoked_by == Some(Side::Local) {
                peer.contract_version_agreed = None;
            }
        }
    },
)
.hard_to_reach();
