//! `grant.*`.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Answer, MethodError, OPERATOR, parameters, peers};
use crate::outbound;
use crate::peering;
use crate::platform::Platform;
use crate::store::rows::{Grant, HeldGrant, Notice, Peer};
use crate::store::table;
use crate::transaction::Transaction;
use covenant_model::operator::grant::{GrantMethod, Hold, Issue, List, Revoke};
use covenant_model::wire::grant::Scope;
use covenant_model::wire::notice::{Event, kind};
use covenant_model::wire::path;
use covenant_model::wire::state::PeerStatus;

const DAYS_DEFAULT: i64 = 30;
const DAYS: std::ops::RangeInclusive<i64> = 7..=365;

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: GrantMethod, given: Value) -> Answer {
    match method {
        GrantMethod::Issue => issue(platform, parameters(given)?),
        GrantMethod::Revoke => revoke(platform, parameters(given)?).await,
        GrantMethod::List => list(platform, &parameters(given)?),
        GrantMethod::Hold => hold(platform, parameters(given)?),
    }
}

/// `grant.issue`: issues a grant for records. Only this act of an operator does (6.2).
fn issue(platform: &Platform, given: Issue) -> Answer {
    platform.transaction(|tx| {
        let peer = peers::find(tx, &given.peer_id)?;
        let grant = granted(tx, &peer, given)?;
        table::put(tx.db, &grant)?;
        (tx.policy.peering.on_grant)(tx, &grant)?;
        let facts = json!({"grant_id": grant.id, "resource_kind": grant.resource_kind, "scopes": grant.permission_scopes});
        peering::report_event(tx, &peer, "federation.grant.issued", "low", facts)?;
        let bearer_token = (tx.policy.grants.issue_token)(&tx.keys.tokens, &grant.id);
        Ok(json!({
            "grant_id": grant.id, "bearer_token": bearer_token, "expires_at": grant.expires_at.to_string(),
            "remote_subject": grant.remote_subject, "issued_by": OPERATOR,
        }))
    })
}

/// `grant.revoke`: announces the revocation to the peer (2.3), then puts it in force.
async fn revoke(platform: &Arc<Platform>, given: Revoke) -> Answer {
    let peer_id = platform.transaction(|tx| announce(tx, &given))?;
    if platform.policy.peering.announces_first {
        outbound::deliver_notices(platform, &peer_id).await;
    }
    platform.transaction::<_, MethodError>(|tx| end(tx, &given))?;
    if !platform.policy.peering.announces_first {
        outbound::deliver_notices(platform, &peer_id).await;
    }
    Ok(json!({}))
}

/// `grant.list`
fn list(platform: &Platform, given: &List) -> Answer {
    platform.transaction(|tx| {
        let grants: Vec<Grant> = match &given.peer_id {
            Some(peer_id) => table::of_peer(tx.db, peer_id)?,
            None => table::all(tx.db)?,
        };
        Ok(json!({"grants": grants.iter().map(shown).collect::<Vec<_>>()}))
    })
}

/// `grant.hold`: stores a grant that the peer issued out of band.
fn hold(platform: &Platform, given: Hold) -> Answer {
    platform.transaction(|tx| {
        let peer = peers::find(tx, &given.peer_id)?;
        let held = HeldGrant {
            id: tx.new_id(),
            peer_id: peer.id,
            grant_id: given.grant_id,
            bearer_token: given.bearer_token,
            resource_kind: given.resource_kind,
            resource_id: given.resource_id,
            permission_scopes: given.permission_scopes,
            expires_at: Some(given.expires_at),
            held_since: tx.now,
            revoked_at: None,
        };
        table::put(tx.db, &held)?;
        Ok(json!({}))
    })
}

fn granted(tx: &Transaction<'_>, peer: &Peer, given: Issue) -> Result<Grant, MethodError> {
    if matches!(peer.status, PeerStatus::Revoked | PeerStatus::Proposed) {
        return Err(MethodError::state(format!("the peer is {}", peer.status)));
    }
    let days = given.ttl_days.unwrap_or(DAYS_DEFAULT);
    if !DAYS.contains(&days) {
        return Err(MethodError::parameters(format!("ttl_days is {days}, not within 7 to 365")));
    }
    let scopes = given.permission_scopes;
    if let Some(unknown) = scopes.iter().find(|scope| Scope::parse(scope).is_none()) {
        return Err(MethodError::parameters(format!("no scope {unknown:?}")));
    }
    if !path::is_kind(&given.resource_kind) {
        return Err(MethodError::parameters(format!("{:?} is no resource kind", given.resource_kind)));
    }
    Ok(Grant {
        id: tx.new_id(),
        peer_id: peer.id.clone(),
        remote_subject: given.remote_subject.unwrap_or_else(|| peer.inbound_subject.clone()),
        resource_kind: given.resource_kind,
        resource_id: given.resource_id,
        permission_scopes: scopes,
        node_instance_ids: given.node_instance_ids,
        sdwan_network_ids: given.sdwan_network_ids,
        source_cidrs: given.source_cidrs,
        issued_at: tx.now,
        expires_at: tx.now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(tx.now),
        is_being_revoked: false,
        revoked_at: None,
        revoke_reason: None,
        revoked_with_peer: false,
        archived_at: None,
        service_slug: None,
    })
}

fn announce(tx: &Transaction<'_>, given: &Revoke) -> Result<String, MethodError> {
    let mut grant = find(tx, &given.grant_id)?;
    if grant.revoked_at.is_some() || grant.is_being_revoked {
        return Err(MethodError::state("the grant is revoked already"));
    }
    grant.is_being_revoked = true;
    grant.revoke_reason.clone_from(&given.reason);
    table::put(tx.db, &grant)?;
    let event = Event {
        id: json!(tx.new_id()),
        kind: kind::GRANT_REVOKED.to_owned(),
        severity: Some("medium".to_owned()),
        emitted_at: Some(tx.now.to_string()),
        correlation_id: Some(tx.correlation_id.clone()),
        source: Some("federation".to_owned()),
        payload: json!({"grant_id": grant.id, "reason": given.reason, "effective_at": tx.now.to_string()}),
        ..Event::default()
    };
    let notice = Notice {
        id: tx.new_id(),
        peer_id: grant.peer_id.clone(),
        event,
        status: None,
        created_at: tx.now,
        due_at: tx.now,
        attempts: 0,
        delivered_at: None,
    };
    table::put(tx.db, &notice)?;
    Ok(grant.peer_id)
}

fn end(tx: &Transaction<'_>, given: &Revoke) -> Result<(), MethodError> {
    end_grant(tx, find(tx, &given.grant_id)?)
}

/// Puts every announced revocation in force that a crash interrupted.
pub(crate) fn complete_announced_revocations(tx: &Transaction<'_>) -> Result<(), MethodError> {
    table::all::<Grant>(tx.db)?
        .into_iter()
        .filter(|grant| grant.is_being_revoked)
        .try_for_each(|grant| end_grant(tx, grant))
}

fn end_grant(tx: &Transaction<'_>, mut grant: Grant) -> Result<(), MethodError> {
    grant.is_being_revoked = false;
    grant.revoked_at.get_or_insert(tx.now);
    table::put(tx.db, &grant)?;
    (tx.policy.peering.on_grant_end)(tx, &grant)?;
    let peer = peers::find(tx, &grant.peer_id)?;
    let facts = json!({"grant_id": grant.id, "reason": grant.revoke_reason});
    Ok(peering::report_event(tx, &peer, "federation.grant.revoked", "medium", facts)?)
}

fn find(tx: &Transaction<'_>, id: &str) -> Result<Grant, MethodError> {
    table::find(tx.db, id)?.ok_or_else(|| MethodError::not_found("grant", id))
}

fn shown(grant: &Grant) -> Value {
    let status = match (grant.archived_at, grant.revoked_at) {
        (Some(_), _) => "archived",
        (None, Some(_)) => "revoked",
        (None, None) => "active",
    };
    let mut shown = json!(grant);
    shown["grant_id"] = json!(grant.id);
    shown["status"] = json!(status);
    shown
}
