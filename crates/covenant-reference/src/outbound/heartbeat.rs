//! Heartbeats: this platform's introduction to a peer, with the notices that it owes.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::outbound_call::{Called, call};
use crate::governance;
use crate::handshake::{introduction, own_endpoints};
use crate::inbound::check_claims;
use crate::method_error::MethodError;
use crate::peering;
use crate::platform::Platform;
use crate::store::rows::{Notice, Peer};
use crate::store::table;
use crate::transaction::Transaction;
use covenant_model::wire::path::Route;

/// Pause after an error response that names no time, in seconds.
const PAUSE_SECONDS: i64 = 60;

/// The result of a sent heartbeat.
pub(crate) struct Sent {
    pub(crate) body: Value,
    pub(crate) called: Called,
}

/// Sends a heartbeat with these notices.
pub(crate) async fn send(
    platform: &Arc<Platform>,
    peer_id: &str,
    notices: &[Notice],
) -> Result<Sent, MethodError> {
    let (peer, body) = platform.transaction::<_, MethodError>(|tx| {
        let mut peer =
            table::find::<Peer>(tx.db, peer_id)?.ok_or_else(|| MethodError::not_found("peer", peer_id))?;
        let body = Value::Object(body(tx, &peer, notices)?);
        if !notices.is_empty() {
            (tx.policy.outbound.override_notified)(&mut peer);
        }
        Ok((peer, body))
    })?;
    let mut called = call(platform, &peer, &Route::Heartbeat, Some(&body), None).await?;
    let mut times = 1;
    while (platform.policy.outbound.repeats_heartbeat)(times, &called) {
        times += 1;
        called = call(platform, &peer, &Route::Heartbeat, Some(&body), None).await?;
    }
    platform.transaction::<_, MethodError>(|tx| store_answer(tx, peer_id, &called))?;
    Ok(Sent { body, called })
}

fn body(tx: &Transaction<'_>, peer: &Peer, notices: &[Notice]) -> Result<Map<String, Value>, MethodError> {
    let mut body = introduction(tx, peer)?;
    body.insert("endpoints".to_owned(), own_endpoints(tx));
    let status = notices.iter().find_map(|notice| notice.status.clone());
    body.insert("status".to_owned(), json!(status.unwrap_or_else(|| "active".to_owned())));
    if !notices.is_empty() {
        let events: Vec<_> = notices.iter().map(|notice| &notice.event).collect();
        body.insert("events".to_owned(), json!(events));
    }
    (tx.policy.outbound.override_heartbeat)(&mut body);
    Ok(body)
}

/// Stores the introduction in the peer's response. If the peer cannot answer, pauses the calls to it.
fn store_answer(tx: &Transaction<'_>, peer_id: &str, called: &Called) -> Result<(), MethodError> {
    let Some(before) = table::find::<Peer>(tx.db, peer_id)? else {
        return Ok(());
    };
    let mut peer = before.clone();
    peer.heartbeat_sent_at = Some(tx.now);
    if !called.succeeded() {
        let seconds = called.retry_after_seconds.unwrap_or(PAUSE_SECONDS).max(1);
        peer.paused_until = tx.now.checked_add(SignedDuration::from_secs(seconds)).ok();
        return Ok(table::put(tx.db, &peer)?);
    }
    peer.paused_until = None;
    let data = called.data();
    if data.is_object() {
        // The cursor and the endpoints in a response do not count. The other members do.
        let mut members = data.clone();
        for name in ["endpoints", "sync_cursor"] {
            members.as_object_mut().map(|members| members.remove(name));
        }
        peering::store_introduction(&mut peer, &members);
    }
    table::put(tx.db, &peer)?;
    for suspicion in check_claims(tx, &before, &peer, &data)? {
        governance::raise(tx, peer_id, &suspicion)?;
    }
    Ok(())
}
