//! `audit.*`: the platform's own audit, and the excerpts of its peers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters, peers};
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{AuditEntry, ExcerptRequest};
use crate::store::table;
use covenant_model::operator::audit::{AuditMethod, List, Request};

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: AuditMethod, given: Value) -> Answer {
    match method {
        AuditMethod::List => list(platform, &parameters(given)?),
        AuditMethod::Request => request(platform, &parameters(given)?).await,
    }
}

/// `audit.list`
fn list(platform: &Platform, given: &List) -> Answer {
    platform.transaction(|tx| {
        let entries: Vec<AuditEntry> = table::of_peer(tx.db, &given.peer_id)?;
        Ok(json!({ "entries": entries }))
    })
}

/// `audit.request`
async fn request(platform: &Arc<Platform>, given: &Request) -> Answer {
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
