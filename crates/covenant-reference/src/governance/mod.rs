//! Governance: what a peer does against the contract becomes a finding; repeated breach of one hard
//! norm suspends the peer, pending the operator's review (E.1, E.2).

pub(crate) mod scan;
pub(crate) mod watch;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::history;
use super::policy::policy;
use super::store::rows::{Breach, Finding, Peer};
use super::store::{StoreError, table};
use super::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// Something that a peer did against the contract.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suspicion {
    /// One of [`finding`].
    pub(crate) kind: &'static str,
    /// The hard commitments that it breaches; none for a soft norm or a standing state.
    pub(crate) norms: &'static [u8],
    /// In words.
    pub(crate) message: String,
    /// The facts.
    pub(crate) payload: Value,
}

policy! {
    /// Decisions of governance.
    Policy {
        /// Whether a suspicion becomes a finding at all.
        is_reported: fn(&Suspicion) -> bool = is_reported,
        /// Which hard commitments it counts against.
        norms_of: fn(&Suspicion) -> &'static [u8] = norms_of,
        /// Whether so many breaches of one norm within 24 hours suspend, by the platform's limit.
        suspends: fn(usize, usize) -> bool = suspends,
        /// For how long a breach counts.
        counts_for: SignedDuration = SignedDuration::from_hours(24),
        /// For how long repeats of one finding about a peer are taken as one.
        merges_for: SignedDuration = SignedDuration::ZERO,
        /// Whether a data residency names a place (8.1).
        names_a_place: fn(&str) -> bool = |place| !place.trim().is_empty(),
        /// Which peer a suspicion is held against: the one that did it.
        blamed: fn(&Transaction<'_>, &str, &Suspicion) -> Result<String, StoreError> = |_, peer_id, _| Ok(peer_id.to_owned()),
        /// What this platform calls its findings.
        finding_name: fn(&str) -> String = str::to_owned,
    }
}

/// Every suspicion is reported.
pub(crate) fn is_reported(_: &Suspicion) -> bool {
    true
}

/// The suspicion's own.
pub(crate) fn norms_of(suspicion: &Suspicion) -> &'static [u8] {
    suspicion.norms
}

/// One breach alone never suspends.
pub(crate) fn suspends(breaches: usize, limit: usize) -> bool {
    breaches >= limit.max(2)
}

impl Suspicion {
    /// A breach of hard norms.
    pub(crate) fn breach(
        kind: &'static str,
        norms: &'static [u8],
        message: impl Into<String>,
        payload: Value,
    ) -> Self {
        Self { kind, norms, message: message.into(), payload }
    }

    /// Against a soft norm, or a state that stands.
    pub(crate) fn soft(kind: &'static str, message: impl Into<String>, payload: Value) -> Self {
        Self::breach(kind, &[], message, payload)
    }
}

/// Reports one act of a peer: a finding, an event for the operator, a breach of each hard norm that
/// it touches, and the suspension where that was one too many.
///
/// The peer's row is read and may be written here: write your own copy of it before.
pub(crate) fn raise(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<(), StoreError> {
    if !(tx.policy.govern.is_reported)(suspicion) {
        return Ok(());
    }
    let peer_id = &(tx.policy.govern.blamed)(tx, peer_id, suspicion)?;
    if merges(tx, peer_id, suspicion)? {
        return Ok(());
    }
    let finding = new_finding(tx, peer_id, suspicion);
    table::put(tx.db, &finding)?;
    announce(tx, &finding)?;
    for &norm in (tx.policy.govern.norms_of)(suspicion) {
        count_breach(tx, peer_id, norm, suspicion)?;
    }
    Ok(())
}

/// Whether it only repeats what was found of the peer a moment ago; then that is counted up.
fn merges(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<bool, StoreError> {
    let name = name(tx, suspicion.kind);
    let is_recent = |finding: &Finding| {
        finding.kind == name && tx.now.duration_since(finding.first_at) < tx.policy.govern.merges_for
    };
    let Some(mut known) = table::of_peer::<Finding>(tx.db, peer_id)?.into_iter().find(is_recent) else {
        return Ok(false);
    };
    known.last_at = tx.now;
    known.count += 1;
    table::put(tx.db, &known)?;
    Ok(true)
}

/// Reports a state that stands: once, however often it is seen again.
pub(crate) fn note(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<(), StoreError> {
    if !(tx.policy.govern.is_reported)(suspicion) {
        return Ok(());
    }
    let name = name(tx, suspicion.kind);
    let known = table::of_peer::<Finding>(tx.db, peer_id)?;
    if let Some(mut standing) = known.into_iter().find(|finding| finding.kind == name) {
        standing.last_at = tx.now;
        standing.count += 1;
        return table::put(tx.db, &standing);
    }
    let finding = new_finding(tx, peer_id, suspicion);
    table::put(tx.db, &finding)?;
    announce(tx, &finding)
}

fn name(tx: &Transaction<'_>, kind: &str) -> String {
    let given = tx.settings.finding_names.get(kind);
    given.cloned().unwrap_or_else(|| (tx.policy.govern.finding_name)(kind))
}

fn new_finding(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Finding {
    Finding {
        id: tx.new_id(),
        kind: name(tx, suspicion.kind),
        severity: severity(suspicion.kind).to_owned(),
        federation_peer_id: Some(peer_id.to_owned()),
        message: suspicion.message.clone(),
        commitments: (tx.policy.govern.norms_of)(suspicion).to_vec(),
        payload: suspicion.payload.clone(),
        first_at: tx.now,
        last_at: tx.now,
        count: 1,
    }
}

fn announce(tx: &Transaction<'_>, finding: &Finding) -> Result<(), StoreError> {
    let payload = json!({
        "finding_id": finding.id, "finding": finding.kind, "message": finding.message, "facts": finding.payload,
    });
    let peer = finding.federation_peer_id.as_deref();
    history::event(tx, "federation.finding.raised", &finding.severity, peer, payload)
}

fn count_breach(
    tx: &Transaction<'_>,
    peer_id: &str,
    norm: u8,
    suspicion: &Suspicion,
) -> Result<(), StoreError> {
    let breach = Breach {
        id: tx.new_id(),
        peer_id: peer_id.to_owned(),
        norm,
        finding: suspicion.kind.to_owned(),
        at: tx.now,
    };
    table::put(tx.db, &breach)?;
    let recent = recent_breaches(tx, peer_id, norm)?;
    if (tx.policy.govern.suspends)(recent, tx.settings.breach_limit)
        && let Some(mut peer) = table::find::<Peer>(tx.db, peer_id)?
    {
        suspend(tx, &mut peer, &format!("repeated breach of commitment {norm}"))?;
    }
    Ok(())
}

/// How many breaches of a norm still count against a peer.
pub(crate) fn recent_breaches(tx: &Transaction<'_>, peer_id: &str, norm: u8) -> Result<usize, StoreError> {
    let counts_for = tx.policy.govern.counts_for;
    let breaches = table::of_peer::<Breach>(tx.db, peer_id)?;
    let counts = |breach: &&Breach| breach.norm == norm && tx.now.duration_since(breach.at) < counts_for;
    Ok(breaches.iter().filter(counts).count())
}

/// Suspends a peer, pending the operator's review; one that was never let in, or is gone, stays as it is.
pub(crate) fn suspend(tx: &Transaction<'_>, peer: &mut Peer, reason: &str) -> Result<bool, StoreError> {
    if !(peer.status.may_call() || peer.status == PeerStatus::Accepted) {
        return Ok(false);
    }
    peer.status = PeerStatus::Suspended;
    peer.suspended_reason = Some(reason.to_owned());
    table::put(tx.db, peer)?;
    let payload = json!({"federation_peer_id": peer.id, "reason": reason});
    history::event(tx, "federation.peer.suspended", "high", Some(&peer.id), payload)?;
    Ok(true)
}

/// How grave a finding is (`powernode.md` §6; the proposed kinds by the class of their norm).
pub(crate) fn severity(kind: &str) -> &'static str {
    match kind {
        finding::SCHEMA_VERSION_MISSING | finding::RESIDENCY_MISSING | finding::IDENTITY_UNDISCLOSED => "low",
        finding::CERT_EXPIRED
        | finding::MIGRATION_FAILED
        | finding::GRANT_BROKEN
        | finding::SYNC_CORRUPT
        | finding::PROBING
        | finding::MIGRATION_UNTRUTHFUL
        | finding::CONTRACT_MISMATCH
        | finding::MASS_GRANTS => "high",
        finding::DISCLOSURE_LATE => "critical",
        _ => "medium",
    }
}
