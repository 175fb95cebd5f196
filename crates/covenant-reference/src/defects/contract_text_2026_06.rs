//! Defects against the later text of version 1. Each is applied on top of the variant that keeps it.

use crate::Patch;
use crate::governance::Suspicion;
use crate::inbound::IdentityRules;
use crate::policy::Policy;
use crate::variants::contract_text_2026_06::KEEPS;
use covenant_model::contract::Aspect::{self, Conduct, Detection};
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// A defect of the later text.
const fn defect(
    name: &'static str,
    breaks: &'static [(&'static str, Aspect)],
    summary: &'static str,
    apply: fn(&mut Policy),
) -> Patch {
    Patch::defect(name, breaks, summary, apply).on(&KEEPS)
}

pub(super) const RENAMES_CAPABILITY_DRIFT: Patch = defect(
    "renames-capability-drift",
    &[("3.1", Detection), ("3.4", Detection), ("E.1", Detection)],
    "Names its finding about bogus claims its own way.",
    |policy| policy.govern.finding_name = |name| renamed(name, finding::CAPABILITY_DRIFT),
);

pub(super) const RENAMES_VERSION_DRIFT: Patch = defect(
    "renames-version-drift",
    &[("E.1", Detection)],
    "Names its finding about incompatible versions its own way.",
    |policy| policy.govern.finding_name = |name| renamed(name, finding::SCHEMA_VERSION_DRIFT),
);

pub(super) const RENAMES_MISSING_RESIDENCY: Patch = defect(
    "renames-missing-residency",
    &[("E.1", Detection)],
    "Names its finding about a missing residency its own way.",
    |policy| policy.govern.finding_name = |name| renamed(name, finding::RESIDENCY_MISSING),
);

pub(super) const OMITS_RESIDENCY_FINDINGS: Patch = defect(
    "omits-residency-findings",
    &[("8.1", Detection), ("8.2", Detection), ("E.1", Detection)],
    "Takes residency for a soft norm that nobody scans, and raises no finding about it.",
    |policy| {
        policy.govern.is_reported =
            |suspicion| ![finding::RESIDENCY_MISSING, finding::RESIDENCY_MOVED].contains(&suspicion.kind);
    },
);

pub(super) const OMITS_DISCLOSURE_FINDINGS: Patch = defect(
    "omits-disclosure-findings",
    &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection), ("E.3", Conduct)],
    "Shows its operator findings of scanned norms, and none about what a peer fails to disclose.",
    |policy| policy.govern.is_reported = |suspicion| suspicion.kind != finding::IDENTITY_UNDISCLOSED,
);

pub(super) const OMITS_COMPROMISE_EVENT: Patch = defect(
    "omits-compromise-event",
    &[("9.2", Detection)],
    "Takes a peer's disclosure of a compromise, and does not tell its operator.",
    |policy| policy.notices.compromise_is_told = |_| false,
);

pub(super) const IGNORES_SUSPENSION_BY_OPERATOR: Patch = defect(
    "ignores-suspension-by-operator",
    &[("9.2", Detection)],
    "Takes its operator's order to suspend a peer, and does nothing.",
    |policy| policy.peering.operator_suspends = |_| false,
);

pub(super) const SERVES_PEER_SUSPENDED_BY_OPERATOR: Patch = defect(
    "serves-peer-suspended-by-operator",
    &[("9.2", Detection)],
    "Calls a peer suspended that its operator suspended, and goes on serving it.",
    |policy| {
        policy.identity.may_call = |peer, now| {
            (IdentityRules::default().may_call)(peer, now) || peer.status == PeerStatus::Suspended
        };
    },
);

pub(super) const OMITS_MISMATCH_FINDING: Patch = defect(
    "omits-mismatch-finding",
    &[("12.1", Detection), ("12.2", Detection), ("E.1", Detection)],
    "Raises no finding about a peer that honours another contract version than it advertises.",
    |policy| policy.govern.is_reported = |suspicion: &Suspicion| suspicion.kind != finding::CONTRACT_MISMATCH,
);

/// Returns the platform's own name for one finding, and the default for all others.
fn renamed(name: &str, one: &str) -> String {
    if name == one { format!("own/{name}") } else { name.to_owned() }
}
