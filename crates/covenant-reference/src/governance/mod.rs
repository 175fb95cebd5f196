//! Governance: a peer's breach of the contract becomes a finding. Repeated breach of one hard norm suspends
//! the peer, pending the operator's review (E.1, E.2).

pub(crate) mod counters;
pub(crate) mod scan;

use jiff::SignedDuration;
use serde_json::json;

use super::history;
use super::policy::policy;
use super::store::rows::{Breach, Finding, Peer};
use super::store::{StoreError, table};
use super::suspicion::Suspicion;
use super::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

policy! {
    /// The policy of governance.
    Policy {
        /// Returns whether a suspicion becomes a finding.
        is_reported: fn(&Suspicion) -> bool = is_reported,
        /// Returns the hard commitments that a suspicion counts against.
        select_norms: fn(&Suspicion) -> &'static [u8] = select_norms,
        /// Returns whether this number of breaches of one norm within 24 hours suspends, by the platform's
        /// limit.
        suspends: fn(usize, usize) -> bool = suspends,
        /// Returns whether a breach that reaches the limit suspends its peer.
        breach_suspends: fn(&Transaction<'_>, &Breach) -> Result<bool, StoreError> = |_, _| Ok(true),
        /// Returns the number of breaches of a norm that count against a peer: its own (E.2).
        count_breaches: fn(&Transaction<'_>, &str, u8) -> Result<usize, StoreError> = recent_breaches,
        /// Time for which a breach counts.
        breach_window: SignedDuration = SignedDuration::from_hours(24),
        /// Time within which repeats of one finding about a peer merge into one.
        merge_window: SignedDuration = SignedDuration::ZERO,
        /// Returns whether a data residency names a place (8.1).
        names_place: fn(&str) -> bool = |place| !place.trim().is_empty(),
        /// Returns the peer that a suspicion is held against: the one that acted.
        attribute: fn(&Transaction<'_>, &str, &Suspicion) -> Result<String, StoreError> = |_, peer_id, _| Ok(peer_id.to_owned()),
        /// Returns the name that this platform gives to a finding.
        name_finding: fn(&str) -> String = str::to_owned,
    }
}

/// Returns `true`: every suspicion is reported.
pub(crate) fn is_reported(_: &Suspicion) -> bool {
    true
}

/// Returns the suspicion's own norms.
pub(crate) fn select_norms(suspicion: &Suspicion) -> &'static [u8] {
    suspicion.norms
}

/// Returns whether the limit is reached. One breach alone never suspends.
pub(crate) fn suspends(breaches: usize, limit: usize) -> bool {
    breaches >= limit.max(2)
}

/// Reports one act of a peer: a finding, an event for the operator and a breach of each hard norm involved.
/// Suspends the peer if the limit is reached.
///
/// This function reads the peer's row and may write it, so write your own copy of the row before the call.
pub(crate) fn raise(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<(), StoreError> {
    if !(tx.policy.governance.is_reported)(suspicion) {
        return Ok(());
    }
    let peer_id = &(tx.policy.governance.attribute)(tx, peer_id, suspicion)?;
    if merges(tx, peer_id, suspicion)? {
        return Ok(());
    }
    let finding = new_finding(tx, peer_id, suspicion);
    table::put(tx.db, &finding)?;
    announce(tx, &finding)?;
    for &norm in (tx.policy.governance.select_norms)(suspicion) {
        count_breach(tx, peer_id, norm, suspicion)?;
    }
    Ok(())
}

/// Returns whether the suspicion repeats a recent finding about the peer. If so, that finding's count is
/// raised.
fn merges(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<bool, StoreError> {
    let name = name(tx, suspicion.kind);
    let is_recent = |finding: &Finding| {
        finding.kind == name && tx.now.duration_since(finding.first_at) < tx.policy.governance.merge_window
    };
    let Some(mut known) = table::of_peer::<Finding>(tx.db, peer_id)?.into_iter().find(is_recent) else {
        return Ok(false);
    };
    known.last_at = tx.now;
    known.count += 1;
    table::put(tx.db, &known)?;
    Ok(true)
}

/// Reports a lasting state once, however often it is seen again.
pub(crate) fn note(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Result<(), StoreError> {
    if !(tx.policy.governance.is_reported)(suspicion) {
        return Ok(());
    }
    let name = name(tx, suspicion.kind);
    let known = table::of_peer::<Finding>(tx.db, peer_id)?;
    if let Some(mut known) = known.into_iter().find(|finding| finding.kind == name) {
        known.last_at = tx.now;
        known.count += 1;
        return table::put(tx.db, &known);
    }
    let finding = new_finding(tx, peer_id, suspicion);
    table::put(tx.db, &finding)?;
    announce(tx, &finding)
}

fn name(tx: &Transaction<'_>, kind: &str) -> String {
    let given = tx.settings.finding_names.get(kind);
    given.cloned().unwrap_or_else(|| (tx.policy.governance.name_finding)(kind))
}

fn new_finding(tx: &Transaction<'_>, peer_id: &str, suspicion: &Suspicion) -> Finding {
    Finding {
        id: tx.new_id(),
        kind: name(tx, suspicion.kind),
        severity: severity(suspicion.kind).to_owned(),
        federation_peer_id: Some(peer_id.to_owned()),
        message: suspicion.message.clone(),
        commitments: (tx.policy.governance.select_norms)(suspicion).to_vec(),
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
    let recent = (tx.policy.governance.count_breaches)(tx, peer_id, norm)?;
    if (tx.policy.governance.suspends)(recent, tx.settings.breach_limit)
        && (tx.policy.governance.breach_suspends)(tx, &breach)?
        && let Some(mut peer) = table::find::<Peer>(tx.db, peer_id)?
    {
        suspend(tx, &mut peer, &format!("repeated breach of commitment {norm}"))?;
    }
    Ok(())
}

/// Returns the number of breaches of a norm that still count against a peer.
pub(crate) fn recent_breaches(tx: &Transaction<'_>, peer_id: &str, norm: u8) -> Result<usize, StoreError> {
    let counts_for = tx.policy.governance.breach_window;
    let breaches = table::of_peer::<Breach>(tx.db, peer_id)?;
    let counts = |breach: &&Breach| breach.norm == norm && tx.now.duration_since(breach.at) < counts_for;
    Ok(breaches.iter().filter(counts).count())
}

/// Suspends a peer, pending the operator's review. A peer that was never admitted, or is gone, stays as it
/// is.
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

/// Returns the severity of a finding (`wire.md` §6; a proposed kind has the severity of its norm's class).
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
