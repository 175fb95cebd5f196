//! Defects against section A: acknowledgement of the contract.

use serde_json::Value;

use crate::Patch;
use crate::handshake::contract;
use crate::store::rows::{Peer, Side};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::state::PeerStatus;

/// Defects in the contract version of an accept.
pub(super) const REQUESTS: &[Patch] = &[
    Patch::defect(
        "accepts-malformed-contract-version",
        &[("A.1", Conduct)],
        "Accepts strings, fractions and zero as a contract version.",
        |policy| policy.handshake.read_version = malformed_as_first,
    ),
    Patch::defect(
        "accepts-missing-contract-version",
        &[("A.1", Conduct)],
        "Treats an absent contract version as version 1.",
        |policy| policy.handshake.read_version = absent_as_first,
    ),
    Patch::defect(
        "takes-true-for-a-contract-version",
        &[("A.1", Conduct)],
        "Takes `true` for the first contract version.",
        |policy| {
            policy.handshake.read_version = |value| match value {
                Some(Value::Bool(true)) => Some(1),
                given => contract::read_version(given),
            };
        },
    ),
    Patch::defect(
        "takes-an-object-for-a-contract-version",
        &[("A.1", Conduct)],
        "Takes an object for the first contract version, because it checks only that something is there.",
        |policy| {
            policy.handshake.read_version = |value| match value {
                Some(Value::Object(_)) => Some(1),
                given => contract::read_version(given),
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "requires-credentials-not-contract-version",
        &[("A.1", Conduct)],
        "Requires credentials in place of a contract version.",
        |policy| {
            policy.handshake.requires_credentials = true;
            policy.handshake.read_version = absent_as_first;
        },
    ),
    Patch::defect(
        "joins-without-contract-version",
        &[("A.1", Conduct)],
        "Joins without a contract version, but requires one from its peers.",
        |policy| {
            policy.outbound.override_join = |body| {
                body.remove("contract_version");
            }
        },
    ),
];

/// Defects in the record of an acknowledgement.
pub(super) const RECORDS: &[Patch] = &[
    Patch::defect(
        "forgets-acknowledgements-at-a-restart",
        &[("A.2", Conduct)],
        "Forgets after a restart which version a revoked peer acknowledged.",
        |policy| {
            policy.peering.on_start = |tx| {
                for mut peer in table::all::<Peer>(tx.db)? {
                    if peer.status == PeerStatus::Revoked {
                        peer.contract_version_agreed = None;
                        table::put(tx.db, &peer)?;
                    }
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "forgets-acknowledgement-at-peering-end",
        &[("A.2", Conduct)],
        "Forgets the acknowledgement of the contract when the peering ends.",
        |policy| {
            policy.peering.override_revoked = |peer| {
                peer.contract_version_agreed = None;
                peer.contract_digest = None;
                peer.acknowledged_at = None;
            }
        },
    ),
    Patch::defect(
        "forgets-acknowledgement-on-revoke",
        &[("A.2", Conduct)],
        "Forgets a peer's acknowledgement of the contract when its operator revokes the peer.",
        |policy| {
            policy.peering.override_revoked = |peer| {
                if peer.revoked_by == Some(Side::Local) {
                    peer.contract_version_agreed = None;
                }
            }
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "forgets-acknowledgement-of-suspended-peers",
        &[("A.2", Conduct)],
        "Forgets the acknowledgement of the contract when the peering of a suspended peer ends.",
        |policy| {
            policy.peering.override_revoked = |peer| {
                if peer.suspended_reason.is_some() {
                    peer.contract_version_agreed = None;
                }
            }
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "forgets-acknowledgement-after-a-quarter",
        &[("A.2", Conduct)],
        "Forgets the acknowledgement of a former peer when it archives that peer's grants.",
        |policy| {
            policy.peering.on_archival = |tx, grant| match table::find::<Peer>(tx.db, &grant.peer_id)? {
                Some(peer) if peer.status == PeerStatus::Revoked => {
                    table::put(tx.db, &Peer { contract_version_agreed: None, ..peer })
                }
                _ => Ok(()),
            };
        },
    )
    .hard_to_reach(),
];

fn malformed_as_first(value: Option<&Value>) -> Option<u64> {
    value
        .filter(|value| !value.is_null())
        .map(|value| value.as_u64().filter(|version| *version > 0).unwrap_or(1))
}

fn absent_as_first(value: Option<&Value>) -> Option<u64> {
    match value {
        None | Some(Value::Null) => Some(1),
        given => contract::read_version(given),
    }
}
