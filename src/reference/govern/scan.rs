//! The scan of standing states: what no single call shows (`powernode.md` §6).

use jiff::SignedDuration;
use serde_json::json;

use super::{Suspicion, note};
use crate::reference::act::Act;
use crate::reference::handshake;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, table};
use crate::wire::notice::finding;
use crate::wire::state::PeerStatus;

/// A certificate that ends within these is expiring.
const EXPIRING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Notes every state that stands against a partner.
pub(crate) fn scan(act: &Act<'_>) -> Result<(), StoreError> {
    for peer in table::all::<Peer>(act.db)? {
        if !peer.is_partner() {
            continue;
        }
        for suspicion in standing(act, &peer)? {
            note(act, &peer.id, &suspicion)?;
        }
    }
    Ok(())
}

fn standing(act: &Act<'_>, peer: &Peer) -> Result<Vec<Suspicion>, StoreError> {
    let mut found = Vec::new();
    found.extend(residency(act, peer));
    found.extend(version(act, peer)?);
    found.extend(certificate(act, peer));
    found.extend(handshake_without_call(act, peer));
    Ok(found)
}

/// 8.1: an active peer says where it keeps data.
pub(crate) fn residency(act: &Act<'_>, peer: &Peer) -> Option<Suspicion> {
    let declared = peer.data_residency.as_deref().is_some_and(act.rules.govern.names_a_place);
    (!declared && matches!(peer.status, PeerStatus::Active | PeerStatus::Degraded))
        .then(|| Suspicion::soft(finding::RESIDENCY_MISSING, "no data residency is declared", json!({})))
}

fn version(act: &Act<'_>, peer: &Peer) -> Result<Option<Suspicion>, StoreError> {
    let Some(remote) = &peer.platform_version else {
        let missing =
            Suspicion::soft(finding::SCHEMA_VERSION_MISSING, "no platform version is known", json!({}));
        return Ok(Some(missing));
    };
    let compatibility = handshake::versions::compatibility(act, Some(remote))?;
    Ok(compatibility.drift())
}

fn certificate(act: &Act<'_>, peer: &Peer) -> Option<Suspicion> {
    let not_after = peer.certificate_not_after?;
    let left = not_after.duration_since(act.now);
    let payload = json!({"not_after": not_after.to_string()});
    if left <= SignedDuration::ZERO {
        return Some(Suspicion::soft(finding::CERT_EXPIRED, "the client certificate has expired", payload));
    }
    (left < EXPIRING)
        .then(|| Suspicion::soft(finding::CERT_EXPIRING, "the client certificate ends soon", payload))
}

fn handshake_without_call(act: &Act<'_>, peer: &Peer) -> Option<Suspicion> {
    let accepted_at = peer.accepted_at?;
    let old = act.now.duration_since(accepted_at) > SignedDuration::from_hours(24);
    (peer.status == PeerStatus::Accepted && old)
        .then(|| Suspicion::soft(finding::STALE_ACCEPTED, "accepted a day ago and never enrolled", json!({})))
}
