//! First text of version 1, published for 14 May 2026.

use super::super::register::{Register, clause, seen};
use super::super::{Class, Clause, Means, Section};

/// Register of the first text of version 1.
pub static V1_2026_05: Register = Register {
    id: "2026-05",
    contract_version: 1,
    digest: "39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7",
    published: "2026-05-14",
    effective: "2026-05-14",
    scanned: &[3, 6, 7, 10, 12],
    named_findings: &[(3, "peer_capability_drift")],
    base: None,
    rows: CLAUSES,
};

use Class::{Critical, Hard, Soft};
use Means::{Attestation, Operator, Wire, WireAndOperator};
use Section::{Acknowledgement, Commitment, Enforcement, OutOfScope, Versioning};

#[rustfmt::skip]
const CLAUSES: &[Clause] = &[
    clause(Commitment(1), 1, Soft, "A platform discloses to its peers how to reach its operator: an email address, or an identifier signed with PGP",
        seen(Wire, "in the heartbeats that the target sends"), seen(WireAndOperator, "a peer leaves it out, sends blanks or something that is no address")),
    clause(Commitment(1), 2, Soft, "A platform discloses to its peers its location or jurisdiction",
        seen(Wire, "in the heartbeats that the target sends"), seen(WireAndOperator, "a peer leaves it out or sends blanks")),
    clause(Commitment(1), 3, Soft, "A platform discloses to its peers the version that it runs, as a semantic version",
        seen(Wire, "in the heartbeats that the target sends"), seen(WireAndOperator, "a peer leaves it out, or sends what is no semantic version")),
    clause(Commitment(1), 4, Soft, "A platform discloses to its peers the tag of its last known-good release",
        seen(Wire, "in the heartbeats that the target sends"), seen(WireAndOperator, "a peer leaves it out or sends blanks")),
    clause(Commitment(1), 5, Soft, "An anonymous peer may be proposed and is never enrolled",
        None, seen(WireAndOperator, "a peer that discloses nothing, or any part short of all four members, tries to enrol")),

    clause(Commitment(2), 1, Hard, "A grant is honoured up to the second at which it expires, unless it was revoked",
        seen(Wire, "the same grant is used again and again, up to its last second"), seen(WireAndOperator, "a peer stops honouring a grant that it issued: the target reports it")),
    clause(Commitment(2), 2, Hard, "A grant does not shrink while it is valid: no scope, kind, id or allowlist narrows without notice",
        seen(Wire, "every scope keeps working; after expiry or revocation it stops at once"), seen(WireAndOperator, "a peer drops a scope without notice: the target reports it")),
    clause(Commitment(2), 3, Hard, "A grant that is revoked before it expires is announced to its holder, if the holder can be reached",
        seen(WireAndOperator, "the target's operator revokes a grant while the peer is up, and while it is down"), seen(WireAndOperator, "a peer revokes a grant without notice: the target reports it")),

    clause(Commitment(3), 1, Hard, "A platform declares only kinds of resources that it can serve",
        seen(Wire, "every declared kind is fetched under a grant"), seen(WireAndOperator, "a peer declares kinds that it answers 404 or 422 for")),
    clause(Commitment(3), 2, Hard, "A platform declares only schema versions that it supports",
        seen(Wire, "the declared version against what a migration of that kind accepts"), seen(WireAndOperator, "a peer declares a schema version that it rejects")),
    clause(Commitment(3), 3, Hard, "A platform declares only filters that it applies",
        seen(Wire, "records outside the filter never arrive"), seen(WireAndOperator, "a peer declares a filter and sends records outside it")),
    clause(Commitment(3), 4, Hard, "A bogus claim raises peer_capability_drift, which is a ground for revocation",
        None, seen(WireAndOperator, "a peer claims what it can't do, also extensions without any capability")),

    clause(Commitment(4), 1, Soft, "A platform that revokes delivers a platform.peer.revoked event over the federation channel before the teardown",
        seen(WireAndOperator, "the peer's log has the notice before the first refused call"), seen(WireAndOperator, "a peer goes silent without a notice: the target reports it")),
    clause(Commitment(4), 2, Soft, "A platform that revokes also sends a heartbeat with the status revoked",
        seen(WireAndOperator, "the peer's log has such a heartbeat before the first refused call"), seen(WireAndOperator, "a peer goes silent without such a heartbeat: the target reports it")),
    clause(Commitment(4), 3, Soft, "Migrations in flight have five minutes of grace",
        seen(WireAndOperator, "a migration that was open is accepted at 4:59 and refused at 5:01"), seen(WireAndOperator, "a peer cuts an open migration at once: the target reports it")),
    clause(Commitment(4), 4, Soft, "Recommended: the operator of a high-trust peer is informed out of band",
        seen(Attestation, "a person attests it"), None),

    clause(Commitment(5), 1, Soft, "Every action across the peering is logged with the peer's id",
        seen(WireAndOperator, "one audit entry for each action, none missing, none doubled"), None),
    clause(Commitment(5), 2, Soft, "Every such entry also names the remote subject",
        seen(WireAndOperator, "the audit entries of the actions taken"), None),
    clause(Commitment(5), 3, Soft, "A valid request for an excerpt is answered within 72 hours",
        seen(Wire, "a request, then the clock at 71:59 and at 72:01"), seen(WireAndOperator, "a peer lets 72 hours pass: the target reports it")),
    clause(Commitment(5), 4, Soft, "An excerpt contains the interactions of the requesting peer alone",
        seen(Wire, "two peers act; each gets its own entries only"), None),

    clause(Commitment(6), 1, Hard, "No platform floods the capabilities channel; handshakes are paced",
        seen(WireAndOperator, "the target's own handshakes and heartbeats, counted, also when the peer answers errors"), seen(WireAndOperator, "a storm of calls is limited and reported, and other peers are served meanwhile")),
    clause(Commitment(6), 2, Hard, "No platform issues mass grants by program without an operator's action",
        seen(WireAndOperator, "grants that appear without an operator's action"), seen(WireAndOperator, "a peer issues hundreds of wide grants: the target reports it")),
    clause(Commitment(6), 3, Hard, "No platform corrupts a sync stream on purpose",
        seen(WireAndOperator, "the digest of what arrives against what was sent"), seen(WireAndOperator, "truncated, reordered, duplicated or corrupted batches are refused and reported, and none of their records is stored")),
    clause(Commitment(6), 4, Hard, "No platform uses the federation to enumerate a peer beyond what the peer declared",
        seen(WireAndOperator, "the target calls only what the peer declared"), seen(WireAndOperator, "a peer enumerates kinds, ids and paths that were not declared to it: refused without a leak, and reported")),

    clause(Commitment(7), 1, Hard, "A migration is applied in one transaction",
        seen(WireAndOperator, "a plan fails at each of its places, also by a crash; afterwards nothing of it exists"), None),
    clause(Commitment(7), 2, Hard, "A platform does not claim success for a migration that it applied in part",
        seen(WireAndOperator, "the counts that are claimed against what can be read back"), seen(WireAndOperator, "a destination applies a part and claims all: the target keeps its originals and reports it")),
    clause(Commitment(7), 3, Hard, "Conflicts are reported faithfully in conflict_log",
        seen(WireAndOperator, "seeded conflicts against the log, entry by entry"), seen(WireAndOperator, "a destination hides or invents a conflict: the target reports it")),
    clause(Commitment(7), 4, Hard, "Identities survive a migration; no id is changed at the destination",
        seen(WireAndOperator, "ids are read back, references inside payloads too"), seen(WireAndOperator, "a destination changes ids: the target reports it")),
    clause(Commitment(7), 5, Hard, "A migration-only capability leads to no sync after the migration",
        seen(WireAndOperator, "a record changes after its migration, and nothing flows"), seen(WireAndOperator, "a peer syncs all the same: refused and reported")),

    clause(Commitment(8), 1, Soft, "A platform declares where it keeps data",
        seen(Wire, "in the heartbeats that the target sends"), seen(WireAndOperator, "an active peer declares none: peer_residency_missing")),
    clause(Commitment(8), 2, Soft, "Migrated data does not cross a boundary without a report to the operator",
        seen(WireAndOperator, "a migration from another residency leads to an event for the operator"), seen(WireAndOperator, "a peer changes its residency without notice after a migration")),
    clause(Commitment(8), 3, Soft, "A crossing is recorded in the migration as cross_jurisdiction",
        seen(WireAndOperator, "the migration's record"), None),

    clause(Commitment(9), 1, Critical, "A compromise that was detected is disclosed to every partner within 24 hours",
        seen(WireAndOperator, "the target's operator declares one; every partner is notified in time"), seen(WireAndOperator, "a peer discloses late: the target reports it")),
    clause(Commitment(9), 2, Critical, "A peer that discloses a compromise is suspended at once, pending the operator's review",
        None, seen(WireAndOperator, "a peer discloses: it is suspended, its calls are refused, the operator can resume it")),

    clause(Commitment(10), 1, Hard, "The previous minor version federates with this one without an operator's help",
        seen(WireAndOperator, "peers one minor version away, of any patch, federate and sync"), seen(WireAndOperator, "two minor versions away, another major version or an invalid one: reported, heartbeats accepted")),
    clause(Commitment(10), 2, Hard, "A major version may break only after a deprecation that was announced 30 days before",
        seen(WireAndOperator, "the notice, and its dates with a moved clock"), seen(WireAndOperator, "a peer breaks without notice: the target reports it")),

    clause(Commitment(11), 1, Critical, "Either side may revoke at any time",
        seen(WireAndOperator, "the target revokes from every state"), seen(WireAndOperator, "a peer revokes from every state: honoured")),
    clause(Commitment(11), 2, Critical, "Migrated data stays; only an explicit deletion removes it",
        seen(WireAndOperator, "read back after a revocation, in both directions"), seen(WireAndOperator, "a peer demands deletion by revoking: nothing is deleted")),
    clause(Commitment(11), 3, Critical, "Local audit logs are kept after a revocation",
        seen(Operator, "the audit before and after, entry by entry"), None),
    clause(Commitment(11), 4, Critical, "Overlay addresses are unmounted after a revocation",
        seen(Operator, "the operator's list of addresses, where the target has one"), None),
    clause(Commitment(11), 5, Critical, "Certificates are revoked after a revocation",
        seen(Wire, "the old certificate is refused at once, on new and on kept-alive connections"), seen(WireAndOperator, "a peer continues to call with a revoked certificate")),

    clause(Commitment(12), 1, Hard, "The contract version that is advertised is the one that is honoured",
        seen(Wire, "accept with every version around the supported ones: agreed is what was asked"), seen(WireAndOperator, "a peer advertises one version and behaves as another")),
    clause(Commitment(12), 2, Hard, "A version that is claimed and not honoured breaks commitments 3 and 6 too",
        None, seen(WireAndOperator, "the finding names it, and it counts towards repeated breach")),

    clause(Enforcement, 1, Hard, "A breach of a hard norm raises a finding by itself",
        None, seen(WireAndOperator, "every hard detection of the twelve")),
    clause(Enforcement, 2, Hard, "Repeated breach suspends the peer until it is reviewed",
        None, seen(WireAndOperator, "the same breach again and again: suspended; one alone is not")),
    clause(Enforcement, 3, Soft, "Findings of soft norms reach the operator's view of peers",
        seen(Operator, "the operator's view of a peer"), None),

    clause(Versioning, 1, Hard, "Every released contract version is stored with the SHA-256 of its text",
        seen(Operator, "the operator's list of contract versions"), None),
    clause(Versioning, 2, Hard, "Both sides reference the same contract version at the handshake",
        seen(WireAndOperator, "the agreed version on both records"), seen(WireAndOperator, "a peer answers with another version than asked: refused")),
    clause(Versioning, 3, Hard, "An amendment stays compatible with the version before, for one release",
        seen(WireAndOperator, "two contract versions served side by side"), None),
    clause(Versioning, 4, Hard, "A deprecated version is kept by old federations and open to no new one",
        seen(WireAndOperator, "accept with a deprecated version is refused, an existing peer unharmed"), None),

    clause(Acknowledgement, 1, Hard, "Accepting with a version other than zero acknowledges the contract, on both sides; zero or none does not",
        seen(WireAndOperator, "accept with 0, none, null, a negative number or text: refused, nothing recorded"), None),
    clause(Acknowledgement, 2, Hard, "Revoking a peering does not revoke the acknowledgement",
        seen(Operator, "the record after a revocation"), None),

    clause(OutOfScope, 1, Hard, "What version 1 leaves out is never on by itself: federated sign-in, continuous audit replication, migrations over several hops, meshes across tenants",
        seen(Wire, "each is asked for without opt-in: refused or unknown, and nothing changes; no peer hears of another"), None),
];
