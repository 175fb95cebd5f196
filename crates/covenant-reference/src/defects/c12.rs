//! Defects against commitment 12: one contract text on both sides.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::notice::finding;

/// Defects in the findings about a contract mismatch.
pub(super) const MISMATCHES: &[Patch] = &[
    Patch::defect(
        "overlooks-contract-mismatch",
        &[("12.1", Detection), ("12.2", Detection), ("E.1", Detection)],
        "Ignores the contract version that a peer claims after the handshake.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::CONTRACT_MISMATCH,
    ),
    Patch::defect(
        "overlooks-other-text-in-a-heartbeat",
        &[("12.1", Detection)],
        "Compares the contract version of a heartbeat, and not its digest.",
        |policy| policy.handshake.compares_claimed_digest = false,
    )
    .hard_to_reach(),
    Patch::defect(
        "counts-mismatch-against-12-only",
        &[("12.2", Detection)],
        "Counts a contract mismatch against 12 alone, not against 3 and 6.",
        |policy| {
            policy.governance.select_norms = |suspicion| {
                if suspicion.kind == finding::CONTRACT_MISMATCH { &[12] } else { suspicion.norms }
            }
        },
    ),
    Patch::defect(
        "counts-mismatch-against-3-and-12-only",
        &[("12.2", Detection)],
        "Counts a contract mismatch against 12 and 3, but not against 6.",
        |policy| {
            policy.governance.select_norms = |suspicion| {
                if suspicion.kind == finding::CONTRACT_MISMATCH { &[12, 3] } else { suspicion.norms }
            }
        },
    )
    .hard_to_reach(),
];

/// Defects in the check of the contract that a peer agreed to.
pub(super) const JOINS: &[Patch] = &[
    Patch::defect(
        "joins-despite-contract-mismatch",
        &[("12.1", Detection), ("V.2", Detection)],
        "Joins on any contract that the peer agrees to.",
        |policy| {
            policy.outbound.is_same_contract = |_| true;
        },
    ),
    Patch::defect(
        "joins-despite-digest-mismatch",
        &[("V.2", Detection)],
        "Ignores the digest of the agreed contract when it joins.",
        |policy| {
            policy.outbound.is_same_contract = |agreement| agreement.agreed.as_u64() == Some(agreement.asked);
        },
    ),
];

/// Defects in the treatment of a peer whose contract was rejected.
pub(super) const REJECTED_JOINS: &[Patch] = &[Patch::defect(
    "enrols-peer-after-rejecting-join",
    &[("12.1", Detection), ("V.2", Detection)],
    "Reports that it does not join a peer that agreed to another contract, but enrols it.",
    |policy| policy.outbound.enrols_rejected_peers = true,
)];
