//! Governance: what a peer does against the contract becomes a finding; repeated breach of one hard
//! norm suspends the peer, pending the operator's review (E.1, E.2).

pub(crate) mod scan;
pub(crate) mod watch;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::act::Act;
use super::history;
use super::rules::rules;
use super::store::rows::{Breach, Finding, Peer};
use super::store::{StoreError, table};
use crate::wire::notice::finding;
use crate::wire::state::PeerStatus;

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

rules! {
    /// Decisions of governance.
    Rules {
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
        blamed: fn(&Act<'_>, &str, &Suspicion) -> Result<String, StoreError> = |_, peer_id, _| Ok(peer_id.to_owned()),
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
pub(crate) fn raise(act: &Act<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<(), StoreError> {
    if !(act.rules.govern.is_reported)(suspicion) {
        return Ok(());
    }
    let peer_id = &(act.rules.govern.blamed)(act, peer_id, suspicion)?;
    if merges(act, peer_id, suspicion)? {
        return Ok(());
    }
    let finding = new_finding(act, peer_id, suspicion);
    table::put(act.db, &finding)?;
    announce(act, &finding)?;
    for &norm in (act.rules.govern.norms_of)(suspicion) {
        count_breach(act, peer_id, norm, suspicion)?;
    }
    Ok(())
}

/// Whether it only repeats what was found of the peer a moment ago; then that is counted up.
fn merges(act: &Act<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<bool, StoreError> {
    let name = name(act, suspicion.kind);
    let is_recent = |finding: &Finding| {
        finding.kind == name && act.now.duration_since(finding.first_at) < act.rules.govern.merges_for
    };
    let Some(mut known) = table::of_peer::<Finding>(act.db, peer_id)?.into_iter().find(is_recent) else {
        return Ok(false);
    };
    known.last_at = act.now;
    known.count += 1;
    table::put(act.db, &known)?;
    Ok(true)
}

/// Reports a state that stands: once, however often it is seen again.
pub(crate) fn note(act: &Act<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<(), StoreError> {
    if !(act.rules.govern.is_reported)(suspicion) {
        return Ok(());
    }
    let name = name(act, suspicion.kind);
    let known = table::of_peer::<Finding>(act.db, peer_id)?;
    if let Some(mut standing) = known.into_iter().find(|finding| finding.kind == name) {
        standing.last_at = act.now;
        standing.count += 1;
        return table::put(act.db, &standing);
    }
    let finding = new_finding(act, peer_id, suspicion);
    table::put(act.db, &finding)?;
    announce(act, &finding)
}

fn name(act: &Act<'_>, kind: &str) -> String {
    let given = act.settings.finding_names.get(kind);
    given.cloned().unwrap_or_else(|| (act.rules.govern.finding_name)(kind))
}

fn new_finding(act: &Act<'_>, peer_id: &str, suspicion: &Suspicion) -> Finding {
    Finding {
        id: act.new_id(),
        kind: name(act, suspicion.kind),
        severity: severity(suspicion.kind).to_owned(),
        federation_peer_id: Some(peer_id.to_owned()),
        message: suspicion.message.clone(),
        commitments: (act.rules.govern.norms_of)(suspicion).to_vec(),
        payload: suspicion.payload.clone(),
        first_at: act.now,
        last_at: act.now,
        count: 1,
    }
}

fn announce(act: &Act<'_>, finding: &Finding) -> Result<(), StoreError> {
    let payload = json!({
        "finding_id": finding.id, "finding": finding.kind, "message": finding.message, "facts": finding.payload,
    });
    let peer = finding.federation_peer_id.as_deref();
    history::event(act, "federation.finding.raised", &finding.severity, peer, payload)
}

fn count_breach(act: &Act<'_>, peer_id: &str, norm: u8, suspicion: &Suspicion) -> Result<(), StoreError> {
    let breach = Breach {
        id: act.new_id(),
        peer_id: peer_id.to_owned(),
        norm,
        finding: suspicion.kind.to_owned(),
        at: act.now,
    };
    table::put(act.db, &breach)?;
    let recent = recent_breaches(act, peer_id, norm)?;
    if (act.rules.govern.suspends)(recent, act.settings.breach_limit)
        && let Some(mut peer) = table::find::<Peer>(act.db, peer_id)?
    {
        suspend(act, &mut peer, &format!("repeated breach of commitment {norm}"))?;
    }
    Ok(())
}

/// How many breaches of a norm still count against a peer.
pub(crate) fn recent_breaches(act: &Act<'_>, peer_id: &str, norm: u8) -> Result<usize, StoreError> {
    let counts_for = act.rules.govern.counts_for;
    let breaches = table::of_peer::<Breach>(act.db, peer_id)?;
    let counts = |breach: &&Breach| breach.norm == norm && act.now.duration_since(breach.at) < counts_for;
    Ok(breaches.iter().filter(counts).count())
}

/// Suspends a peer, pending the operator's review; one that was never let in, or is gone, stays as it is.
pub(crate) fn suspend(act: &Act<'_>, peer: &mut Peer, reason: &str) -> Result<bool, StoreError> {
    if !(peer.status.may_call() || peer.status == PeerStatus::Accepted) {
        return Ok(false);
    }
    peer.status = PeerStatus::Suspended;
    peer.suspended_reason = Some(reason.to_owned());
    table::put(act.db, peer)?;
    let payload = json!({"federation_peer_id": peer.id, "reason": reason});
    history::event(act, "federation.peer.suspended", "high", Some(&peer.id), payload)?;
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
