//! `peer.*`, `heartbeat.send` and `overlay.list`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::governance;
use crate::handshake::token_hash;
use crate::outbound;
use crate::peering;
use crate::platform::Platform;
use crate::store::rows::{Breach, Finding, Notice, OverlayAddress, Peer, PendingRevocation, Side};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::operator::peer::{
    Join, List, ListOverlay, PeerMethod, Propose, Resume, Revoke, SendHeartbeat, Show, Suspend,
};
use covenant_model::wire::notice::{Event, kind};
use covenant_model::wire::state::PeerStatus;

/// Default lifetime of an acceptance token, in days.
const TOKEN_DAYS: i64 = 7;

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: PeerMethod, given: Value) -> Answer {
    match method {
        PeerMethod::Propose => propose(platform, parameters(given)?),
        PeerMethod::Join => join(platform, parameters(given)?).await,
        PeerMethod::Show => show(platform, &parameters(given)?),
        PeerMethod::List => list(platform, &parameters(given)?),
        PeerMethod::Suspend => suspend(platform, parameters(given)?),
        PeerMethod::Resume => resume(platform, &parameters(given)?),
        PeerMethod::Revoke => revoke(platform, parameters(given)?).await,
        PeerMethod::SendHeartbeat => heartbeat(platform, &parameters(given)?).await,
        PeerMethod::ListOverlay => overlay(platform, &parameters(given)?),
    }
}

/// `peer.propose`: creates a row and the one token that accepts it.
fn propose(platform: &Platform, given: Propose) -> Answer {
    platform.transaction(|tx| {
        let token = URL_SAFE_NO_PAD.encode(tx.ids.bytes::<32>());
        let lifetime = given
            .token_ttl_seconds
            .map_or(SignedDuration::from_hours(24 * TOKEN_DAYS), SignedDuration::from_secs);
        let mut peer = Peer::proposed(tx.new_id(), Side::Local, given.remote_instance_url, tx.now);
        peer.spawn_role = given.spawn_role;
        peer.spawn_mode = given.spawn_mode;
        peer.peer_kind = given.peer_kind.unwrap_or(peer.peer_kind);
        peer.token_sha256 = Some(token_hash(&token));
        peer.token_expires_at = tx.now.checked_add(lifetime).ok();
        table::put(tx.db, &peer)?;
        (tx.policy.peering.on_proposal)(tx, &peer)?;
        peering::report_event(tx, &peer, "federation.peer.proposed", "low", json!({}))?;
        Ok(json!({"peer_id": peer.id, "acceptance_token": token}))
    })
}

/// `peer.join`: calls accept at a peer that proposed.
async fn join(platform: &Arc<Platform>, given: Join) -> Answer {
    let peer_id =
        outbound::join(platform, given.base_url, &given.acceptance_token, given.ca_bundle_pem).await?;
    outbound::joined(&peer_id)
}

/// `peer.show`
fn show(platform: &Platform, given: &Show) -> Answer {
    platform.transaction(|tx| Ok(json!({"peer": shown(tx, &find(tx, &given.peer_id)?)?})))
}

/// `peer.list`
fn list(platform: &Platform, _: &List) -> Answer {
    platform.transaction(|tx| {
        let peers: Vec<Peer> = table::all(tx.db)?;
        let shown: Vec<Value> = peers.iter().map(|peer| shown(tx, peer)).collect::<Result<_, _>>()?;
        Ok(json!({ "peers": shown }))
    })
}

/// `peer.suspend`
fn suspend(platform: &Platform, given: Suspend) -> Answer {
    platform.transaction(|tx| {
        let mut peer = find(tx, &given.peer_id)?;
        let reason = given.reason.unwrap_or_else(|| "by the operator".to_owned());
        if !(tx.policy.peering.operator_suspends)(&peer) {
            return Ok(json!({}));
        }
        if governance::suspend(tx, &mut peer, &reason)? {
            return Ok(json!({}));
        }
        Err(MethodError::state(format!("the peer is {}", peer.status)))
    })
}

/// `peer.resume`: ends a suspension after review. The peer may call at once, and its breaches are cleared.
fn resume(platform: &Platform, given: &Resume) -> Answer {
    platform.transaction(|tx| {
        let mut peer = find(tx, &given.peer_id)?;
        if peer.status != PeerStatus::Suspended {
            return Err(MethodError::state(format!("the peer is {}", peer.status)));
        }
        peer.status = if peer.enrolled_at.is_some() { PeerStatus::Enrolled } else { PeerStatus::Accepted };
        peer.suspended_reason = None;
        table::put(tx.db, &peer)?;
        for breach in table::of_peer::<Breach>(tx.db, &peer.id)? {
            table::remove::<Breach>(tx.db, &breach.id)?;
        }
        (tx.policy.peering.on_resume)(tx, &peer)?;
        peering::report_event(tx, &peer, "federation.peer.resumed", "low", json!({}))?;
        Ok(json!({}))
    })
}

/// `peer.revoke`: announces the revocation, then puts it in force (4.1, 4.2, 11.1). An unreachable peer gets
/// the notice later; the revocation does not wait for it.
async fn revoke(platform: &Arc<Platform>, given: Revoke) -> Answer {
    let peer_id = given.peer_id.clone();
    if let Some(before_revocation) = platform.policy.outbound.before_revocation {
        before_revocation(Arc::clone(platform), peer_id.clone()).await;
    }
    platform.transaction(|tx| announce(tx, &given))?;
    if platform.policy.peering.announces_first {
        outbound::deliver_notices(platform, &peer_id).await;
    }
    platform.transaction::<_, MethodError>(|tx| Ok(complete_revocation(tx, &peer_id)?))?;
    if !platform.policy.peering.announces_first {
        outbound::deliver_notices(platform, &peer_id).await;
    }
    Ok(json!({}))
}

/// `heartbeat.send`
async fn heartbeat(platform: &Arc<Platform>, given: &SendHeartbeat) -> Answer {
    let sent = outbound::send_heartbeat(platform, &given.peer_id, &[]).await?;
    let called = sent.called;
    Ok(json!({
        "sent": sent.body, "answered": called.status, "body": called.body, "error": called.error(),
    }))
}

/// `overlay.list`
fn overlay(platform: &Platform, given: &ListOverlay) -> Answer {
    platform.transaction(|tx| {
        let addresses: Vec<OverlayAddress> = table::of_peer(tx.db, &given.peer_id)?;
        let shown: Vec<Value> = addresses.iter().map(|address| mounted(tx, address)).collect();
        Ok(json!({ "addresses": shown }))
    })
}

/// Puts every announced revocation in force that a crash interrupted.
pub(crate) fn complete_announced_revocations(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for peer in table::all::<Peer>(tx.db)? {
        complete_revocation(tx, &peer.id)?;
    }
    Ok(())
}

fn announce(tx: &Transaction<'_>, given: &Revoke) -> Result<(), MethodError> {
    let mut peer = find(tx, &given.peer_id)?;
    if peer.status == PeerStatus::Revoked || peer.pending_revocation.is_some() {
        return Err(MethodError::state("the peer is revoked already"));
    }
    if !(tx.policy.peering.may_be_revoked)(&peer) {
        return Err(MethodError::state(format!("the peer is {}", peer.status)));
    }
    let grace_until = (tx.policy.peering.compute_grace_end)(tx.now);
    peer.pending_revocation =
        Some(PendingRevocation { reason: given.reason.clone(), effective_at: tx.now, grace_until });
    table::put(tx.db, &peer)?;
    if peer.status == PeerStatus::Proposed || !(tx.policy.peering.announces_to)(&peer) {
        // A proposed peer has no counterpart yet that could receive a notice.
        return Ok(());
    }
    let event = Event {
        id: json!(tx.new_id()),
        kind: kind::PEER_REVOKED.to_owned(),
        severity: Some("high".to_owned()),
        emitted_at: Some(tx.now.to_string()),
        correlation_id: Some(tx.correlation_id.clone()),
        source: Some("federation".to_owned()),
        payload: json!({
            "federation_peer_id": peer.remote_peer_id.as_ref().unwrap_or(&peer.id), "reason": given.reason,
            "effective_at": tx.now.to_string(), "grace_until": grace_until.to_string(),
        }),
        ..Event::default()
    };
    let notice = Notice {
        id: tx.new_id(),
        peer_id: peer.id.clone(),
        event,
        status: Some("revoked".to_owned()),
        created_at: tx.now,
        due_at: tx
            .now
            .saturating_add((tx.policy.outbound.delay_notice)(kind::PEER_REVOKED))
            .unwrap_or(tx.now),
        attempts: 0,
        delivered_at: None,
    };
    Ok(table::put(tx.db, &notice)?)
}

fn complete_revocation(tx: &Transaction<'_>, peer_id: &str) -> Result<(), StoreError> {
    let Some(mut peer) = table::find::<Peer>(tx.db, peer_id)? else {
        return Ok(());
    };
    match peer.pending_revocation.take() {
        Some(revocation) => {
            peering::tear_down(tx, &mut peer, Side::Local, revocation.reason, revocation.grace_until)
        }
        None => Ok(()),
    }
}

/// Returns the peer's row, or an error if there is none.
pub(crate) fn find(tx: &Transaction<'_>, peer_id: &str) -> Result<Peer, MethodError> {
    table::find(tx.db, peer_id)?.ok_or_else(|| MethodError::not_found("peer", peer_id))
}

/// Returns the operator's view of a peer, with the findings against it (E.3).
fn shown(tx: &Transaction<'_>, peer: &Peer) -> Result<Value, StoreError> {
    let findings = table::of_peer::<Finding>(tx.db, &peer.id)?;
    Ok(json!({
        "peer_id": peer.id, "status": peer.status, "peer_kind": peer.peer_kind,
        "remote_instance_url": peer.remote_instance_url, "spawn_role": peer.spawn_role,
        "spawn_mode": peer.spawn_mode, "proposed_by": peer.proposed_by,
        "contract_version_agreed": peer.contract_version_agreed, "contract_digest": peer.contract_digest,
        "contract_acknowledged_at": peer.acknowledged_at, "accepted_at": peer.accepted_at,
        "handshake_at": peer.handshake_at, "enrolled_at": peer.enrolled_at,
        "metadata": peer.metadata, "capabilities": peer.capabilities, "endpoints": peer.endpoints,
        "extension_slugs": peer.extension_slugs, "sync_cursor": peer.sync_cursor,
        "platform_version": peer.platform_version, "data_residency": peer.data_residency,
        "schema_compatibility": peer.schema_compatibility, "remote_peer_id": peer.remote_peer_id,
        "inbound_subject": peer.inbound_subject, "outbound_subject": peer.outbound_subject,
        "certificate": {
            "serial": peer.certificate_serial, "not_after": peer.certificate_not_after,
            "revoked_at": peer.certificate_revoked_at,
        },
        "last_heartbeat_at": peer.last_heartbeat_at, "suspended_reason": peer.suspended_reason,
        "revoked_at": peer.revoked_at, "revoked_by": peer.revoked_by, "revoke_reason": peer.revoke_reason,
        "grace_until": peer.grace_until, "findings": findings,
    }))
}

/// Returns the JSON form of an address. It includes the state if unmounted addresses are listed too.
fn mounted(tx: &Transaction<'_>, address: &OverlayAddress) -> Value {
    if !tx.policy.peering.lists_unmounted {
        return json!(address.address);
    }
    let status = if address.unmounted_at.is_none() { "active" } else { "revoked" };
    json!({"peer_id": address.peer_id, "address": address.address, "status": status})
}
