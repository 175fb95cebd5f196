//! `compromise.declare`, `residency.set` and `release.*`: what the operator declares to all peers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::handshake;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::Compromise;
use crate::store::{facts, table};
use covenant_model::operator::release::{
    DeclareCompromise, Deprecate, ReleaseMethod, SetRelease, SetResidency,
};
use covenant_model::wire::notice::kind;

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: ReleaseMethod, given: Value) -> Answer {
    match method {
        ReleaseMethod::DeclareCompromise => compromise(platform, &parameters(given)?).await,
        ReleaseMethod::SetResidency => set_residency(platform, &parameters(given)?).await,
        ReleaseMethod::SetRelease => set_release(platform, &parameters(given)?),
        ReleaseMethod::Deprecate => deprecate(platform, &parameters(given)?).await,
    }
}

/// `compromise.declare`: sends a notice to every partner, suspended ones included (9.1).
async fn compromise(platform: &Arc<Platform>, given: &DeclareCompromise) -> Answer {
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

/// `residency.set`: sends a notice to the partners before the change is visible (8.2).
async fn set_residency(platform: &Arc<Platform>, given: &SetResidency) -> Answer {
    let reported = platform.transaction::<_, MethodError>(|tx| {
        let from = handshake::residency(tx)?;
        facts::set(tx.db, facts::RESIDENCY, &json!(given.residency))?;
        let payload = json!({"from": from, "to": given.residency, "effective_at": tx.now.to_string()});
        Ok(outbound::owe_everyone(tx, kind::RESIDENCY_CHANGED, "medium", &payload)?)
    })?;
    deliver(platform, &reported).await;
    Ok(json!({}))
}

/// `release.set`: changes the release. The previous major is served until its end was announced 30 days ago
/// (10.2).
fn set_release(platform: &Platform, given: &SetRelease) -> Answer {
    platform.transaction(|tx| {
        let before = handshake::release(tx)?;
        facts::set(tx.db, facts::PREVIOUS_RELEASE, &json!(before))?;
        facts::set(tx.db, facts::RELEASE, &json!(given.version))?;
        (tx.policy.peering.on_release)(tx, &before, &given.version)?;
        Ok(json!({}))
    })
}

/// `release.deprecate`: announces a break at least 30 days before it happens.
async fn deprecate(platform: &Arc<Platform>, given: &Deprecate) -> Answer {
    let reported = platform.transaction::<_, MethodError>(|tx| {
        if given.breaks_at.duration_since(tx.now) < tx.policy.handshake.required_notice {
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
