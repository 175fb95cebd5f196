//! The methods that call a peer or send notices to peers.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, MethodError, parameters, peers};
use crate::handshake;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{Compromise, ExcerptRequest, HeldGrant};
use crate::store::{facts, table};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::{Route, is_id, is_kind};

/// Calls a method that calls a peer.
pub(super) async fn call(platform: &Arc<Platform>, method: &str, given: Value) -> Answer {
    match method {
        "peer.join" => join(platform, given).await,
        "heartbeat.send" => heartbeat(platform, given).await,
        "grant.hold" => hold(platform, given),
        "resource.fetch" => fetch(platform, given).await,
        "migration.commit" => {
            let given: OneMigration = parameters(given)?;
            outbound::commit_migration(platform, &given.migration_id).await
        }
        "migration.send" => outbound::send_migration(platform, parameters(given)?).await,
        "sync.run" => outbound::run_sync(platform, &parameters::<OfPeer>(given)?.peer_id).await,
        "audit.request" => request_excerpt(platform, given).await,
        "compromise.declare" => compromise(platform, given).await,
        "residency.set" => move_residency(platform, given).await,
        "release.set" => release(platform, given),
        "release.deprecate" => deprecate(platform, given).await,
        _ => Err(MethodError::unknown_method(method)),
    }
}

#[derive(Deserialize)]
struct OfPeer {
    peer_id: String,
}

#[derive(Deserialize)]
struct OneMigration {
    migration_id: String,
}

#[derive(Deserialize)]
struct Join {
    base_url: String,
    acceptance_token: String,
    ca_bundle_pem: Option<String>,
}

async fn join(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Join = parameters(given)?;
    let peer_id =
        outbound::join(platform, given.base_url, &given.acceptance_token, given.ca_bundle_pem).await?;
    outbound::joined(&peer_id)
}

async fn heartbeat(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: OfPeer = parameters(given)?;
    let sent = outbound::send_heartbeat(platform, &given.peer_id, &[]).await?;
    let called = sent.called;
    Ok(json!({
        "sent": sent.body, "answered": called.status, "body": called.body, "error": called.error(),
    }))
}

#[derive(Deserialize)]
struct Hold {
    peer_id: String,
    grant_id: String,
    bearer_token: String,
    resource_kind: String,
    resource_id: Option<String>,
    #[serde(default)]
    permission_scopes: Vec<String>,
    expires_at: Option<Timestamp>,
}

/// `grant.hold`: stores a grant that the peer issued out of band.
fn hold(platform: &Platform, given: Value) -> Answer {
    let given: Hold = parameters(given)?;
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
            expires_at: given.expires_at,
            held_since: tx.now,
            revoked_at: None,
        };
        table::put(tx.db, &held)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
struct Fetch {
    peer_id: String,
    kind: String,
    id: String,
}

/// `resource.fetch`: reads a record with a held grant. A grant that is refused before its end is a broken
/// grant.
async fn fetch(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Fetch = parameters(given)?;
    if !is_kind(&given.kind) || !is_id(&given.id) {
        return Err(MethodError::parameters("kind or id can't stand in a path"));
    }
    let (peer, held) = platform.transaction::<_, MethodError>(|tx| {
        let peer = peers::find(tx, &given.peer_id)?;
        let held: Vec<HeldGrant> = table::of_peer(tx.db, &peer.id)?;
        let fits = |grant: &HeldGrant| {
            let this_one = grant.resource_id.as_ref().is_none_or(|id| *id == given.id);
            grant.resource_kind == given.kind && this_one
        };
        Ok((peer, held.into_iter().rev().find(fits)))
    })?;
    let token = held.as_ref().map(|grant| grant.bearer_token.as_str());
    let route = Route::Resource { kind: given.kind.clone(), id: given.id };
    let called = outbound::call(platform, &peer, &route, None, token).await?;
    platform.transaction::<_, MethodError>(|tx| {
        if let Some(grant) = &held {
            outbound::check_grant(tx, grant, "read", &called)?;
        }
        Ok(outbound::check_kind(tx, &peer, &given.kind, &called)?)
    })?;
    Ok(json!({"status": called.status, "body": called.body, "data": called.data()}))
}

async fn request_excerpt(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: OfPeer = parameters(given)?;
    let request = platform.transaction::<_, MethodError>(|tx| {
        let peer = peers::find(tx, &given.peer_id)?;
        let request = ExcerptRequest {
            id: tx.new_id(),
            peer_id: peer.id,
            requested_at: tx.now,
            asked_at: tx.now,
            request_id: None,
            due_at: None,
            answered_at: None,
            reported_at: None,
        };
        table::put(tx.db, &request)?;
        Ok(request)
    })?;
    let asked = outbound::ask_for_excerpt(platform, request).await?;
    Ok(json!({"request_id": asked.id, "answered_at": asked.answered_at, "due_at": asked.due_at}))
}

#[derive(Deserialize)]
struct PlannedCheck {
    kind: String,
    detected_at: Timestamp,
    #[serde(default)]
    summary: String,
}

/// `compromise.declare`: sends a notice to every partner, suspended ones included (9.1).
async fn compromise(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: PlannedCheck = parameters(given)?;
    let reported = platform.transaction::<_, MethodError>(|tx| {
        let compromise = Compromise {
            id: tx.new_id(),
            kind: given.kind.clone(),
            detected_at: given.detected_at,
            summary: given.summary.clone(),
            declared_at: tx.now,
        };
        table::put(tx.db, &compromise)?;
        let payload = json!({
            "detected_at": given.detected_at.to_string(), "kind": given.kind, "summary": given.summary,
        });
        Ok(outbound::owe_everyone(tx, kind::PEER_COMPROMISED, "critical", &payload)?)
    })?;
    deliver(platform, &reported).await;
    Ok(json!({}))
}

#[derive(Deserialize)]
struct Residency {
    residency: String,
}

/// `residency.set`: sends a notice to the partners before the change is visible (8.2).
async fn move_residency(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Residency = parameters(given)?;
    let reported = platform.transaction::<_, MethodError>(|tx| {
        let from = handshake::residency(tx)?;
        facts::set(tx.db, facts::RESIDENCY, &json!(given.residency))?;
        let payload = json!({"from": from, "to": given.residency, "effective_at": tx.now.to_string()});
        Ok(outbound::owe_everyone(tx, kind::RESIDENCY_CHANGED, "medium", &payload)?)
    })?;
    deliver(platform, &reported).await;
    Ok(json!({}))
}

#[derive(Deserialize)]
struct Release {
    version: String,
}

/// `release.set`: changes the release. The previous major is served until its end was announced 30 days ago
/// (10.2).
fn release(platform: &Platform, given: Value) -> Answer {
    let given: Release = parameters(given)?;
    platform.transaction(|tx| {
        let before = handshake::release(tx)?;
        facts::set(tx.db, facts::PREVIOUS_RELEASE, &json!(before))?;
        facts::set(tx.db, facts::RELEASE, &json!(given.version))?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
struct Deprecate {
    version: String,
    breaks_at: Timestamp,
    notice_url: Option<String>,
}

/// `release.deprecate`: announces a break at least 30 days before it happens.
async fn deprecate(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Deprecate = parameters(given)?;
    let reported = platform.transaction::<_, MethodError>(|tx| {
        if given.breaks_at.duration_since(tx.now) < tx.policy.handshake.notice_needed {
            return Err(MethodError::parameters("breaks_at is less than 30 days away"));
        }
        let notice = json!({
            "version": given.version, "breaks_at": given.breaks_at.to_string(), "notice_url": given.notice_url,
            "declared_at": tx.now.to_string(),
        });
        let mut kept = facts::find(tx.db, facts::DEPRECATIONS)?.unwrap_or_else(|| json!([]));
        if let Some(kept) = kept.as_array_mut() {
            kept.push(notice.clone());
        }
        facts::set(tx.db, facts::DEPRECATIONS, &kept)?;
        Ok(outbound::owe_everyone(tx, kind::RELEASE_DEPRECATED, "medium", &notice)?)
    })?;
    deliver(platform, &reported).await;
    Ok(json!({}))
}

async fn deliver(platform: &Arc<Platform>, peers: &[String]) {
    outbound::side_by_side(
        peers.iter().map(|peer_id| outbound::deliver_notices(platform, peer_id)).collect(),
    )
    .await;
}
