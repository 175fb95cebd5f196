//! The ways in which the embedded target can break the contract, by commitment. Each defect mutates the fewest
//! decisions that break its clauses.

mod acknowledgement;
mod c01;
mod c02;
mod c03;
mod c04;
mod c05;
mod c06;
mod c07;
mod c08;
mod c09;
mod c10;
mod c10_partners;
mod c11;
mod c12;
mod contract_text_2026_06;
mod enforcement;
mod out_of_scope;
mod versioning;

use crate::patch::{Patch, count, joined};

/// The tables, in the order in which the defects are listed: inbound calls first, outbound calls last.
const TABLES: &[&[Patch]] = &[
    c01::OWN_DISCLOSURE,
    c08::OWN_RESIDENCY,
    c01::PEER_DISCLOSURE,
    c01::WRONG_FORMS,
    c01::NULLS,
    c01::LATER,
    c02::grants::ISSUED_GRANTS,
    c02::grants::OTHER_GRANTS,
    c03::KINDS,
    c08::NEW_PEERS,
    c04::AFTER_REVOCATION,
    c11::FORWARDED_CERTIFICATES,
    c05::AUDIT,
    c06::rates::LIMITS,
    c06::grants::MASS_GRANTS,
    c06::streams::SENT,
    c06::grants::ATTRIBUTION,
    c06::streams::RECEIVED,
    c06::scope::PATCHES,
    c07::atomicity::PATCHES,
    c07::claims::OWN_CLAIMS,
    c07::identities::PATCHES,
    c07::sync::AUTOMATIC,
    c08::CROSSINGS,
    c09::PEER_COMPROMISE,
    c10::COMPATIBILITY,
    c10_partners::PATCHES,
    c10::MAJOR_VERSIONS,
    c11::PATCHES,
    versioning::ANSWERS,
    acknowledgement::REQUESTS,
    versioning::VERSIONS,
    c12::MISMATCHES,
    acknowledgement::RECORDS,
    enforcement::PATCHES,
    out_of_scope::PATCHES,
    c04::NOTICES,
    c06::rates::RETRIES,
    c03::PROBES,
    c03::CLAIMS,
    c07::verification::PEER_CLAIMS,
    c07::sync::DECLARED,
    c12::JOINS,
    c01::JOINS,
    c12::REJECTED_JOINS,
    c02::grants::HELD_GRANTS,
    c05::REQUESTED_EXCERPTS,
    c09::OWN_COMPROMISE,
    c02::notices::NOTICES,
    c10::NOTICES,
    contract_text_2026_06::PATCHES,
];

/// Every defect.
pub const DEFECTS: &[&Patch] = &joined::<{ count(TABLES) }>(TABLES);

/// Returns the defect of that name.
#[must_use]
pub fn defect(name: &str) -> Option<&'static Patch> {
    DEFECTS.iter().copied().find(|patch| patch.name == name)
}
