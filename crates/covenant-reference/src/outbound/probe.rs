//! Probes: calls that show whether peers serve the kinds that they declare (3.1, 3.4).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::outbound_call::{Called, call};
use crate::governance;
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Finding, HeldGrant, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::path::{Route, is_kind};
use covenant_model::wire::state::PeerStatus;

/// An id that no record has. Any id shows whether a kind is served.
const UNUSED_ID: &str = "00000000-0000-7000-8000-000000000000";
/// Maximum number of kinds that are probed per peer.
const KINDS_MAX: usize = 50;

/// Returns whether the status means not found or kind not served. A 401 or 403 shows nothing.
pub(crate) fn is_drift(status: u16) -> bool {
    matches!(status, 404 | 422)
}

/// Asks every active peer for a resource of each kind that it declares, before a governance scan.
pub(crate) async fn probe_capabilities(platform: &Arc<Platform>) {
    let peers =
        platform.transaction::<_, MethodError>(|tx| Ok(table::all::<Peer>(tx.db)?)).unwrap_or_default();
    for peer in peers.into_iter().filter(|peer| peer.status == PeerStatus::Active) {
        let open = peer.paused_until.is_none_or(|end| platform.clock.now() >= end);
        if open && peer.refusing_since.is_none() {
            // An unreachable peer is reported elsewhere.
            let _ = probe(platform, &peer).await;
        }
    }
}

/// Checks whether a response shows that a declared kind is not served.
pub(crate) fn check_kind(
    tx: &Transaction<'_>,
    peer: &Peer,
    kind: &str,
    called: &Called,
) -> Result<(), StoreError> {
    let declares = peer.capabilities["resource_kinds"].as_array();
    let declares = declares.into_iter().flatten().any(|row| row["kind"] == kind);
    if declares && called.status.is_some_and(tx.policy.outbound.is_drift) {
        drift(tx, &peer.id, kind, "a declared kind is not served")?;
    }
    Ok(())
}

/// Notes that a declared kind is not served.
pub(crate) fn drift(
    tx: &Transaction<'_>,
    peer_id: &str,
    kind: &str,
    message: &str,
) -> Result<(), StoreError> {
    let payload = json!({ "resource_kind": kind });
    let known: Vec<Finding> = table::of_peer(tx.db, peer_id)?;
    if known.iter().any(|finding| finding.payload == payload && finding.message == message) {
        return Ok(());
    }
    governance::raise(tx, peer_id, &Suspicion::breach(finding::CAPABILITY_DRIFT, &[3], message, payload))
}

async fn probe(platform: &Arc<Platform>, peer: &Peer) -> Result<(), MethodError> {
    let rows = peer.capabilities["resource_kinds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let declared = rows.iter().filter_map(|row| row["kind"].as_str()).filter(|kind| is_kind(kind));
    let kinds = (platform.policy.outbound.select_probed_kinds)(declared.map(ToOwned::to_owned).collect());
    for kind in kinds.into_iter().take(KINDS_MAX) {
        let held = platform.transaction::<_, MethodError>(|tx| Ok(held(tx, &peer.id, &kind, "read")?))?;
        let token = held.map(|grant| grant.bearer_token);
        let route = Route::Resource { kind: kind.clone(), id: UNUSED_ID.to_owned() };
        let called = call(platform, peer, &route, None, token.as_deref()).await?;
        platform.transaction::<_, MethodError>(|tx| Ok(check_kind(tx, peer, &kind, &called)?))?;
    }
    Ok(())
}

/// Returns a held grant from this peer for this kind and scope.
pub(crate) fn held(
    tx: &Transaction<'_>,
    peer_id: &str,
    kind: &str,
    scope: &str,
) -> Result<Option<HeldGrant>, StoreError> {
    let held: Vec<HeldGrant> = table::of_peer(tx.db, peer_id)?;
    Ok(held.into_iter().rev().find(|grant| {
        let scopes = &grant.permission_scopes;
        grant.resource_kind == kind
            && grant.resource_id.is_none()
            && grant.revoked_at.is_none()
            && grant.expires_at.is_none_or(|end| tx.now < end)
            && scopes.iter().any(|held| held == scope || held == "admin")
    }))
}

/// Checks whether a response shows that a held grant is no longer honoured.
pub(crate) fn check_grant(
    tx: &Transaction<'_>,
    grant: &HeldGrant,
    scope: &str,
    called: &Called,
) -> Result<(), StoreError> {
    if !(tx.policy.outbound.breaks_grant)(grant, scope, tx.now, called) {
        return Ok(());
    }
    let facts = json!({
        "grant_id": grant.grant_id, "scope": scope, "status": called.status, "error": called.error(),
    });
    let message = "the peer refuses a grant that it gave, before its end and without a notice";
    governance::raise(tx, &grant.peer_id, &Suspicion::breach(finding::GRANT_BROKEN, &[2], message, facts))
}

/// Returns whether access that the grant covers was refused before the grant's end and without a notice (2.1,
/// 2.2).
pub(crate) fn breaks_grant(grant: &HeldGrant, scope: &str, now: Timestamp, called: &Called) -> bool {
    let was_given = grant.permission_scopes.iter().any(|given| given == scope);
    let is_valid = grant.revoked_at.is_none() && grant.expires_at.is_none_or(|end| now < end);
    let refused = matches!(called.status, Some(401 | 403));
    was_given && is_valid && refused && !called.error().to_lowercase().contains("expired")
}
