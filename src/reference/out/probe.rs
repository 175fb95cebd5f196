//! Looking whether peers serve what they declare (3.1, 3.4).

use std::sync::Arc;

use serde_json::{Value, json};

use super::line::call;
use crate::reference::act::Act;
use crate::reference::govern::{self, Suspicion};
use crate::reference::operate::OperatorError;
use crate::reference::platform::Platform;
use crate::reference::store::rows::{Finding, HeldGrant, Peer};
use crate::reference::store::{StoreError, table};
use crate::wire::notice::finding;
use crate::wire::path::{Route, is_kind};
use crate::wire::state::PeerStatus;

/// An id that no record has: whether a kind is served shows with any id.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
/// Kinds of one peer that are looked at.
const KINDS_MAX: usize = 50;

/// Not found, or not a kind that is served. Who may not look (401, 403) learns nothing.
pub(crate) fn is_drift(status: u16) -> bool {
    matches!(status, 404 | 422)
}

/// Asks every active peer for a resource of each kind that it declares, before a governance scan.
pub(crate) async fn probe_capabilities(platform: &Arc<Platform>) {
    let peers = platform.act::<_, OperatorError>(|act| Ok(table::all::<Peer>(act.db)?)).unwrap_or_default();
    for peer in peers.into_iter().filter(|peer| peer.status == PeerStatus::Active) {
        let open = peer.paused_until.is_none_or(|end| platform.clock.now() >= end);
        if open && peer.refusing_since.is_none() {
            // A peer that can't be asked is told of elsewhere.
            let _ = probe(platform, &peer).await;
        }
    }
}

/// Notes that a declared kind turned out not to be served.
pub(crate) fn drift(act: &Act<'_>, peer_id: &str, kind: &str, message: &str) -> Result<(), StoreError> {
    let payload = json!({ "resource_kind": kind });
    let known: Vec<Finding> = table::of_peer(act.db, peer_id)?;
    if known.iter().any(|finding| finding.payload == payload && finding.message == message) {
        return Ok(());
    }
    govern::raise(act, peer_id, &Suspicion::breach(finding::CAPABILITY_DRIFT, &[3], message, payload))
}

async fn probe(platform: &Arc<Platform>, peer: &Peer) -> Result<(), OperatorError> {
    let rows = peer.capabilities["resource_kinds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds = rows.iter().filter_map(|row| row["kind"].as_str()).filter(|kind| is_kind(kind));
    for kind in kinds.take(KINDS_MAX) {
        let token = platform.act::<_, OperatorError>(|act| Ok(held_token(act, &peer.id, kind, "read")?))?;
        let route = Route::Resource { kind: kind.to_owned(), id: NOBODY.to_owned() };
        let called = call(platform, peer, &route, None, token.as_deref()).await?;
        if called.status.is_some_and(platform.rules.out.is_drift) {
            let message = "a declared kind is not served";
            platform.act::<_, OperatorError>(|act| Ok(drift(act, &peer.id, kind, message)?))?;
        }
    }
    Ok(())
}

/// The token of a grant that we hold from this peer, for this kind and scope.
pub(crate) fn held_token(
    act: &Act<'_>,
    peer_id: &str,
    kind: &str,
    scope: &str,
) -> Result<Option<String>, StoreError> {
    let held: Vec<HeldGrant> = table::of_peer(act.db, peer_id)?;
    let found = held.into_iter().rev().find(|grant| {
        let scopes = &grant.permission_scopes;
        grant.resource_kind == kind
            && grant.resource_id.is_none()
            && grant.revoked_at.is_none()
            && grant.expires_at.is_none_or(|end| act.now < end)
            && scopes.iter().any(|held| held == scope || held == "admin")
    });
    Ok(found.map(|grant| grant.bearer_token))
}

/// A grant that a peer refused before it expired, and without a notice (2.1, 2.2).
pub(crate) fn broken_grant(
    act: &Act<'_>,
    grant: &HeldGrant,
    status: Option<u16>,
    error: &str,
) -> Result<(), StoreError> {
    let ended = grant.revoked_at.is_some() || grant.expires_at.is_some_and(|end| act.now >= end);
    if ended || error.to_lowercase().contains("expired") {
        return Ok(());
    }
    let facts: Value = json!({"grant_id": grant.grant_id, "status": status, "error": error});
    let message = "the peer refuses a grant that it gave, before its end and without a notice";
    govern::raise(act, &grant.peer_id, &Suspicion::breach(finding::GRANT_BROKEN, &[2], message, facts))
}
