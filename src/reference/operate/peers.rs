//! `peer.*`, but for `peer.join`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, OperatorError, parameters};
use crate::reference::act::Act;
use crate::reference::govern;
use crate::reference::handshake::token_hash;
use crate::reference::out;
use crate::reference::peering;
use crate::reference::platform::Platform;
use crate::reference::store::rows::{Breach, Finding, Leaving, Notice, Peer, Side};
use crate::reference::store::{StoreError, table};
use crate::wire::notice::{Event, kind};
use crate::wire::state::PeerStatus;

/// Days that an acceptance token lives, unless the operator says otherwise.
const TOKEN_DAYS: i64 = 7;

#[derive(Deserialize)]
struct Propose {
    remote_instance_url: String,
    spawn_role: Option<String>,
    spawn_mode: Option<String>,
    peer_kind: Option<String>,
    token_ttl_seconds: Option<i64>,
}

#[derive(Deserialize)]
struct Named {
    peer_id: String,
    reason: Option<String>,
}

/// `peer.propose`: a row, and the one token that accepts it.
pub(super) fn propose(platform: &Platform, given: Value) -> Answer {
    let given: Propose = parameters(given)?;
    platform.act(|act| {
        let token = URL_SAFE_NO_PAD.encode(act.ids.bytes::<32>());
        let life = given
            .token_ttl_seconds
            .map_or(SignedDuration::from_hours(24 * TOKEN_DAYS), SignedDuration::from_secs);
        let mut peer = Peer::proposed(act.new_id(), Side::Local, given.remote_instance_url, act.now);
        peer.spawn_role = given.spawn_role;
        peer.spawn_mode = given.spawn_mode;
        peer.peer_kind = given.peer_kind.unwrap_or(peer.peer_kind);
        peer.token_sha256 = Some(token_hash(&token));
        peer.token_expires_at = act.now.checked_add(life).ok();
        table::put(act.db, &peer)?;
        peering::tell_operator(act, &peer, "federation.peer.proposed", "low", json!({}))?;
        Ok(json!({"peer_id": peer.id, "acceptance_token": token}))
    })
}

/// `peer.show`
pub(super) fn show(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.act(|act| Ok(json!({"peer": shown(act, &find(act, &given.peer_id)?)?})))
}

/// `peer.list`
pub(super) fn list(platform: &Platform) -> Answer {
    platform.act(|act| {
        let peers: Vec<Peer> = table::all(act.db)?;
        let shown: Vec<Value> = peers.iter().map(|peer| shown(act, peer)).collect::<Result<_, _>>()?;
        Ok(json!({ "peers": shown }))
    })
}

/// `peer.suspend`
pub(super) fn suspend(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.act(|act| {
        let mut peer = find(act, &given.peer_id)?;
        let reason = given.reason.unwrap_or_else(|| "by the operator".to_owned());
        if govern::suspend(act, &mut peer, &reason)? {
            return Ok(json!({}));
        }
        Err(OperatorError::state(format!("the peer is {}", peer.status)))
    })
}

/// `peer.resume`: reviewed. It may call again at once, and its breaches are forgiven.
pub(super) fn resume(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.act(|act| {
        let mut peer = find(act, &given.peer_id)?;
        if peer.status != PeerStatus::Suspended {
            return Err(OperatorError::state(format!("the peer is {}", peer.status)));
        }
        peer.status = if peer.enrolled_at.is_some() { PeerStatus::Enrolled } else { PeerStatus::Accepted };
        peer.suspended_reason = None;
        table::put(act.db, &peer)?;
        for breach in table::of_peer::<Breach>(act.db, &peer.id)? {
            table::remove::<Breach>(act.db, &breach.id)?;
        }
        peering::tell_operator(act, &peer, "federation.peer.resumed", "low", json!({}))?;
        Ok(json!({}))
    })
}

/// `peer.revoke`: announced first, in force after that (4.1, 4.2, 11.1). A peer that can't be
/// reached is told later; the revocation does not wait for it.
pub(super) async fn revoke(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    let peer_id = given.peer_id.clone();
    if let Some(before_leaving) = platform.rules.out.before_leaving {
        before_leaving(Arc::clone(platform), peer_id.clone()).await;
    }
    platform.act(|act| announce(act, &given))?;
    if platform.rules.peering.announces_first {
        out::deliver_notices(platform, &peer_id).await;
    }
    platform.act::<_, OperatorError>(|act| Ok(leave(act, &peer_id)?))?;
    if !platform.rules.peering.announces_first {
        out::deliver_notices(platform, &peer_id).await;
    }
    Ok(json!({}))
}

/// Puts every revocation in force that was announced, and that a death came between.
pub(crate) fn leave_all_announced(act: &Act<'_>) -> Result<(), StoreError> {
    for peer in table::all::<Peer>(act.db)? {
        leave(act, &peer.id)?;
    }
    Ok(())
}

fn announce(act: &Act<'_>, given: &Named) -> Result<(), OperatorError> {
    let mut peer = find(act, &given.peer_id)?;
    if peer.status == PeerStatus::Revoked || peer.leaving.is_some() {
        return Err(OperatorError::state("the peer is revoked already"));
    }
    if !(act.rules.peering.may_be_revoked)(&peer) {
        return Err(OperatorError::state(format!("the peer is {}", peer.status)));
    }
    let grace_until = (act.rules.peering.grace_until)(act.now);
    peer.leaving = Some(Leaving { reason: given.reason.clone(), effective_at: act.now, grace_until });
    table::put(act.db, &peer)?;
    if peer.status == PeerStatus::Proposed || !(act.rules.peering.is_told)(&peer) {
        // Of a proposed one, nobody is there yet to be told.
        return Ok(());
    }
    let event = Event {
        id: json!(act.new_id()),
        kind: kind::PEER_REVOKED.to_owned(),
        severity: Some("high".to_owned()),
        emitted_at: Some(act.now.to_string()),
        correlation_id: Some(act.correlation_id.clone()),
        source: Some("federation".to_owned()),
        payload: json!({
            "federation_peer_id": peer.remote_peer_id.as_ref().unwrap_or(&peer.id), "reason": given.reason,
            "effective_at": act.now.to_string(), "grace_until": grace_until.to_string(),
        }),
        ..Event::default()
    };
    let notice = Notice {
        id: act.new_id(),
        peer_id: peer.id.clone(),
        event,
        status: Some("revoked".to_owned()),
        created_at: act.now,
        due_at: act.now.saturating_add((act.rules.out.delay)(kind::PEER_REVOKED)).unwrap_or(act.now),
        attempts: 0,
        delivered_at: None,
    };
    Ok(table::put(act.db, &notice)?)
}

fn leave(act: &Act<'_>, peer_id: &str) -> Result<(), StoreError> {
    let Some(mut peer) = table::find::<Peer>(act.db, peer_id)? else {
        return Ok(());
    };
    match peer.leaving.take() {
        Some(leaving) => peering::tear_down(act, &mut peer, Side::Local, leaving.reason, leaving.grace_until),
        None => Ok(()),
    }
}

/// The peer's row, or the error that there is none.
pub(crate) fn find(act: &Act<'_>, peer_id: &str) -> Result<Peer, OperatorError> {
    table::find(act.db, peer_id)?.ok_or_else(|| OperatorError::not_found("peer", peer_id))
}

/// A peer as the operator sees it, with what stands against it (E.3).
fn shown(act: &Act<'_>, peer: &Peer) -> Result<Value, StoreError> {
    let findings = table::of_peer::<Finding>(act.db, &peer.id)?;
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
