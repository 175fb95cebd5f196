//! The scan for lasting states, which no single call shows (`wire.md` §6).

use jiff::SignedDuration;
use serde_json::json;

use super::note;
use crate::handshake;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// Remaining lifetime within which a certificate counts as expiring.
const EXPIRING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Notes every lasting state of every partner.
pub(crate) fn scan(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for peer in table::all::<Peer>(tx.db)? {
        if !peer.is_partner() {
            continue;
        }
        for suspicion in states_of(tx, &peer)? {
            note(tx, &peer.id, &suspicion)?;
        }
    }
    Ok(())
}

fn states_of(tx: &Transaction<'_>, peer: &Peer) -> Result<Vec<Suspicion>, StoreError> {
    let mut found = Vec::new();
    found.extend(residency(tx, peer));
    found.extend(version(tx, peer)?);
    found.extend(certificate(tx, peer));
    found.extend(handshake_without_call(tx, peer));
    Ok(found)
}

/// Returns a suspicion if an active peer does not disclose its residency (8.1).
pub(crate) fn residency(tx: &Transaction<'_>, peer: &Peer) -> Option<Suspicion> {
    let declared = peer.data_residency.as_deref().is_some_and(tx.policy.governance.names_place);
    (!declared && matches!(peer.status, PeerStatus::Active | PeerStatus::Degraded))
        .then(|| Suspicion::soft(finding::RESIDENCY_MISSING, "no data residency is declared", json!({})))
}

fn version(tx: &Transaction<'_>, peer: &Peer) -> Result<Option<Suspicion>, StoreError> {
    let Some(remote) = &peer.platform_version else {
        let missing =
            Suspicion::soft(finding::SCHEMA_VERSION_MISSING, "no platform version is known", json!({}));
        return Ok(Some(missing));
    };
    let compatibility = handshake::versions::compatibility(tx, Some(remote))?;
    Ok(compatibility.drift().filter(|_| (tx.policy.handshake.compares_version)(None)))
}

fn certificate(tx: &Transaction<'_>, peer: &Peer) -> Option<Suspicion> {
    let not_after = peer.certificate_not_after?;
    let left = not_after.duration_since(tx.now);
    let payload = json!({"not_after": not_after.to_string()});
    if left <= SignedDuration::ZERO {
        return Some(Suspicion::soft(finding::CERT_EXPIRED, "the client certificate has expired", payload));
    }
    (left < EXPIRING)
        .then(|| Suspicion::soft(finding::CERT_EXPIRING, "the client certificate ends soon", payload))
}

fn handshake_without_call(tx: &Transaction<'_>, peer: &Peer) -> Option<Suspicion> {
    let accepted_at = peer.accepted_at?;
    let old = tx.now.duration_since(accepted_at) > SignedDuration::from_hours(24);
    (peer.status == PeerStatus::Accepted && old)
        .then(|| Suspicion::soft(finding::STALE_ACCEPTED, "accepted a day ago and never enrolled", json!({})))
}
