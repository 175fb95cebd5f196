//! Defects against the later text of version 1. Each is applied on top of the variant that keeps it.

use crate::Patch;
use crate::inbound::identity;
use crate::policy::Policy;
use crate::suspicion::Suspicion;
use crate::variants::contract_text_2026_06::KEEPS;
use covenant_model::contract::Aspect::{self, Conduct, Detection};
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// The defects.
pub(super) const PATCHES: &[Patch] = &[
    defect(
        "renames-capability-drift",
        &[("3.1", Detection), ("3.4", Detection), ("E.1", Detection)],
        "Raises its finding about bogus claims under another kind.",
        |policy| policy.governance.name_finding = |name| renamed(name, finding::CAPABILITY_DRIFT),
    ),
    defect(
        "renames-version-drift",
        &[("E.1", Detection)],
        "Raises its finding about incompatible versions under another kind.",
        |policy| policy.governance.name_finding = |name| renamed(name, finding::SCHEMA_VERSION_DRIFT),
    ),
    defect(
        "renames-missing-residency",
        &[("E.1", Detection)],
        "Raises its finding about a missing residency under another kind.",
        |policy| policy.governance.name_finding = |name| renamed(name, finding::RESIDENCY_MISSING),
    ),
    defect(
        "omits-residency-findings",
        &[("8.1", Detection), ("8.2", Detection), ("E.1", Detection)],
        "Raises no finding about residency.",
        |policy| {
            policy.governance.is_reported =
                |suspicion| ![finding::RESIDENCY_MISSING, finding::RESIDENCY_MOVED].contains(&suspicion.kind);
        },
    ),
    defect(
        "omits-disclosure-findings",
        &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection), ("E.3", Conduct)],
        "Raises no finding about members that a peer does not disclose.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::IDENTITY_UNDISCLOSED,
    ),
    defect(
        "omits-compromise-event",
        &[("9.2", Detection)],
        "Accepts a peer's disclosure of a compromise and does not report it to its operator.",
        |policy| policy.notices.reports_compromise = |_| false,
    ),
    defect(
        "ignores-suspension-by-operator",
        &[("9.2", Detection)],
        "Accepts its operator's suspension of a peer and does not carry it out.",
        |policy| policy.peering.operator_suspends = |_| false,
    ),
    defect(
        "serves-peer-suspended-by-operator",
        &[("9.2", Detection)],
        "Shows a peer as suspended and continues to serve it.",
        |policy| {
            policy.identity.may_call =
                |peer, now| identity::may_call(peer, now) || peer.status == PeerStatus::Suspended;
            policy.history.is_open_to = |status| matches!(status, PeerStatus::Active | PeerStatus::Suspended);
        },
    ),
    defect(
        "omits-mismatch-finding",
        &[("12.1", Detection), ("12.2", Detection), ("E.1", Detection)],
        "Raises no finding about a peer that honours another contract version than it advertises.",
        |policy| {
            policy.governance.is_reported =
                |suspicion: &Suspicion| suspicion.kind != finding::CONTRACT_MISMATCH;
        },
    ),
];

/// A defect of the later text.
const fn defect(
    name: &'static str,
    breaks: &'static [(&'static str, Aspect)],
    summary: &'static str,
    apply: fn(&mut Policy),
) -> Patch {
    Patch::defect(name, breaks, summary, apply).on(&KEEPS)
}

/// Returns the platform's own name for one finding, and the default for all others.
fn renamed(name: &str, one: &str) -> String {
    if name == one { format!("own/{name}") } else { name.to_owned() }
}
