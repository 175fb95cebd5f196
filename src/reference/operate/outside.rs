//! The verbs that call a peer, or tell peers something.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, OperatorError, parameters, peers};
use crate::reference::handshake;
use crate::reference::out;
use crate::reference::platform::Platform;
use crate::reference::store::rows::{Compromise, ExcerptRequest, HeldGrant};
use crate::reference::store::{facts, table};
use crate::wire::notice::kind;
use crate::wire::path::{Route, is_id, is_kind};

/// Does a verb that calls a peer.
pub(super) async fn perform(platform: &Arc<Platform>, verb: &str, given: Value) -> Answer {
    match verb {
        "peer.join" => join(platform, given).await,
        "heartbeat.send" => heartbeat(platform, given).await,
        "grant.hold" => hold(platform, given),
        "resource.fetch" => fetch(platform, given).await,
        "migration.commit" => {
            let given: OneMigration = parameters(given)?;
            out::commit_migration(platform, &given.migration_id).await
        }
        "migration.send" => out::send_migration(platform, parameters(given)?).await,
        "sync.run" => out::run_sync(platform, &parameters::<OfPeer>(given)?.peer_id).await,
        "audit.request" => request_excerpt(platform, given).await,
        "compromise.declare" => compromise(platform, given).await,
        "residency.set" => move_residency(platform, given).await,
        "release.set" => release(platform, given),
        "release.deprecate" => deprecate(platform, given).await,
        _ => Err(OperatorError::unknown_verb(verb)),
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
    let peer_id = out::join(platform, given.base_url, &given.acceptance_token, given.ca_bundle_pem).await?;
    out::joined(&peer_id)
}

async fn heartbeat(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: OfPeer = parameters(given)?;
    let sent = out::send_heartbeat(platform, &given.peer_id, &[]).await?;
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

/// `grant.hold`: a grant that the peer gave, out of band.
fn hold(platform: &Platform, given: Value) -> Answer {
    let given: Hold = parameters(given)?;
    platform.act(|act| {
        let peer = peers::find(act, &given.peer_id)?;
        let held = HeldGrant {
            id: act.new_id(),
            peer_id: peer.id,
            grant_id: given.grant_id,
            bearer_token: given.bearer_token,
            resource_kind: given.resource_kind,
            resource_id: given.resource_id,
            permission_scopes: given.permission_scopes,
            expires_at: given.expires_at,
            held_since: act.now,
            revoked_at: None,
        };
        table::put(act.db, &held)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
struct Fetch {
    peer_id: String,
    kind: String,
    id: String,
}

/// `resource.fetch`: with a grant that we hold; what is refused before its time is a broken grant.
async fn fetch(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Fetch = parameters(given)?;
    if !is_kind(&given.kind) || !is_id(&given.id) {
        return Err(OperatorError::parameters("kind or id can't stand in a path"));
    }
    let (peer, held) = platform.act::<_, OperatorError>(|act| {
        let peer = peers::find(act, &given.peer_id)?;
        let held: Vec<HeldGrant> = table::of_peer(act.db, &peer.id)?;
        let fits = |grant: &HeldGrant| {
            let this_one = grant.resource_id.as_ref().is_none_or(|id| *id == given.id);
            grant.resource_kind == given.kind && this_one
        };
        Ok((peer, held.into_iter().rev().find(fits)))
    })?;
    let token = held.as_ref().map(|grant| grant.bearer_token.as_str());
    let route = Route::Resource { kind: given.kind.clone(), id: given.id };
    let called = out::call(platform, &peer, &route, None, token).await?;
    platform.act::<_, OperatorError>(|act| {
        if let Some(grant) = &held {
            out::judge_grant(act, grant, "read", &called)?;
        }
        Ok(out::judge_kind(act, &peer, &given.kind, &called)?)
    })?;
    Ok(json!({"status": called.status, "body": called.body, "data": called.data()}))
}

async fn request_excerpt(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: OfPeer = parameters(given)?;
    let request = platform.act::<_, OperatorError>(|act| {
        let peer = peers::find(act, &given.peer_id)?;
        let request = ExcerptRequest {
            id: act.new_id(),
            peer_id: peer.id,
            requested_at: act.now,
            asked_at: act.now,
            request_id: None,
            due_at: None,
            answered_at: None,
            reported_at: None,
        };
        table::put(act.db, &request)?;
        Ok(request)
    })?;
    let asked = out::ask_for_excerpt(platform, request).await?;
    Ok(json!({"request_id": asked.id, "answered_at": asked.answered_at, "due_at": asked.due_at}))
}

#[derive(Deserialize)]
struct Declared {
    kind: String,
    detected_at: Timestamp,
    #[serde(default)]
    summary: String,
}

/// `compromise.declare`: every partner hears, suspended ones too (9.1).
async fn compromise(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Declared = parameters(given)?;
    let told = platform.act::<_, OperatorError>(|act| {
        let compromise = Compromise {
            id: act.new_id(),
            kind: given.kind.clone(),
            detected_at: given.detected_at,
            summary: given.summary.clone(),
            declared_at: act.now,
        };
        table::put(act.db, &compromise)?;
        let payload = json!({
            "detected_at": given.detected_at.to_string(), "kind": given.kind, "summary": given.summary,
        });
        Ok(out::owe_everyone(act, kind::PEER_COMPROMISED, "critical", &payload)?)
    })?;
    deliver(platform, &told).await;
    Ok(json!({}))
}

#[derive(Deserialize)]
struct Residency {
    residency: String,
}

/// `residency.set`: partners are told before they see it (8.2).
async fn move_residency(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Residency = parameters(given)?;
    let told = platform.act::<_, OperatorError>(|act| {
        let from = handshake::residency(act)?;
        facts::set(act.db, facts::RESIDENCY, &json!(given.residency))?;
        let payload = json!({"from": from, "to": given.residency, "effective_at": act.now.to_string()});
        Ok(out::owe_everyone(act, kind::RESIDENCY_CHANGED, "medium", &payload)?)
    })?;
    deliver(platform, &told).await;
    Ok(json!({}))
}

#[derive(Deserialize)]
struct Release {
    version: String,
}

/// `release.set`. The major before is served on until its end was announced 30 days ago (10.2).
fn release(platform: &Platform, given: Value) -> Answer {
    let given: Release = parameters(given)?;
    platform.act(|act| {
        let before = handshake::release(act)?;
        facts::set(act.db, facts::PREVIOUS_RELEASE, &json!(before))?;
        facts::set(act.db, facts::RELEASE, &json!(given.version))?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
struct Deprecate {
    version: String,
    breaks_at: Timestamp,
    notice_url: Option<String>,
}

/// `release.deprecate`: at least 30 days before it breaks.
async fn deprecate(platform: &Arc<Platform>, given: Value) -> Answer {
    let given: Deprecate = parameters(given)?;
    let told = platform.act::<_, OperatorError>(|act| {
        if given.breaks_at.duration_since(act.now) < act.rules.handshake.notice_needed {
            return Err(OperatorError::parameters("breaks_at is less than 30 days away"));
        }
        let notice = json!({
            "version": given.version, "breaks_at": given.breaks_at.to_string(), "notice_url": given.notice_url,
            "declared_at": act.now.to_string(),
        });
        let mut kept = facts::find(act.db, facts::DEPRECATIONS)?.unwrap_or_else(|| json!([]));
        if let Some(kept) = kept.as_array_mut() {
            kept.push(notice.clone());
        }
        facts::set(act.db, facts::DEPRECATIONS, &kept)?;
        Ok(out::owe_everyone(act, kind::RELEASE_DEPRECATED, "medium", &notice)?)
    })?;
    deliver(platform, &told).await;
    Ok(json!({}))
}

async fn deliver(platform: &Arc<Platform>, peers: &[String]) {
    out::side_by_side(peers.iter().map(|peer_id| out::deliver_notices(platform, peer_id)).collect()).await;
}
