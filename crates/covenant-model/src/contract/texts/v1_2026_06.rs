//! Later text of version 1, published in June 2026: the rows that differ from the first text.

use super::super::register::{Register, clause, seen, withdrawn};
use super::super::{Class, Clause, Means, Section};
use super::v1_2026_05::V1_2026_05;

/// Register of the later text of version 1.
pub static V1_2026_06: Register = Register {
    id: "2026-06",
    contract_version: 1,
    digest: "93d878c3857964f4d35e5da795046cdfcd34290eebb3932ae80943436d613e0d",
    published: "2026-06-03",
    effective: "2026-05-14",
    scanned: &[3, 6, 7, 8, 10, 12],
    named_findings: &[
        (3, "peer_capability_drift"),
        (8, "peer_residency_missing"),
        (10, "peer_schema_version_drift"),
    ],
    base: Some(&V1_2026_05),
    rows: CHANGES,
};

use Class::{Critical, Hard, Soft};
use Means::{Operator, Wire, WireAndOperator};
use Section::{Commitment, Enforcement};

#[rustfmt::skip]
const CHANGES: &[Clause] = &[
    clause(Commitment(8), 1, Hard, "A platform declares where it keeps data",
        seen(Wire, "in the heartbeats that the target sends"), seen(WireAndOperator, "an active peer declares none: peer_residency_missing")),
    clause(Commitment(8), 2, Hard, "Migrated data does not cross a boundary without a report to the operator",
        seen(WireAndOperator, "a migration from another residency leads to an event for the operator"), seen(WireAndOperator, "a peer changes its residency without notice after a migration")),
    clause(Commitment(8), 3, Hard, "A crossing is recorded in the migration as cross_jurisdiction",
        seen(WireAndOperator, "the migration's record"), None),

    clause(Commitment(9), 2, Critical, "A compromise that a peer discloses is reported to the operator, who can suspend that peer; the platform need not do so by itself",
        None, seen(WireAndOperator, "a peer discloses: an event or a finding names it, and a suspension by the operator works")),

    clause(Commitment(12), 2, Hard, "A version that is claimed and not honoured breaks commitments 3 and 6: it raises a finding, and counts towards nothing",
        None, seen(WireAndOperator, "a finding about the mismatch")),

    clause(Enforcement, 1, Hard, "A breach of a scanned norm raises a finding by itself; for commitments 3, 8 and 10 under the name that the contract gives it",
        None, seen(WireAndOperator, "every detection of the scanned norms, three of them by name")),
    withdrawn(Enforcement, 2, Hard, "Withdrawn: findings neither suspend nor revoke a peer; the operator reviews each",
        None, seen(WireAndOperator, "the same breach again and again: a suspension is reported, and is neither kept nor broken")),
    clause(Enforcement, 3, Soft, "Findings of the soft norms 1, 4 and 5 reach the operator's view of peers",
        seen(Operator, "the operator's view of a peer"), None),
];
