//! Heartbeats: what this platform tells a peer of itself, with the notices that it owes.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::line::{Called, call};
use crate::reference::act::Act;
use crate::reference::govern;
use crate::reference::handshake::{introduction, own_endpoints};
use crate::reference::operate::OperatorError;
use crate::reference::peering;
use crate::reference::platform::Platform;
use crate::reference::serve::judge_claims;
use crate::reference::store::rows::{Notice, Peer};
use crate::reference::store::table;
use crate::wire::path::Route;

/// How long a peer that answers an error, and names no time, is left alone.
const PAUSE_SECONDS: i64 = 60;

/// What was sent and what came back.
pub(crate) struct Sent {
    pub(crate) body: Value,
    pub(crate) called: Called,
}

/// Sends a heartbeat with these notices.
pub(crate) async fn send(
    platform: &Arc<Platform>,
    peer_id: &str,
    notices: &[Notice],
) -> Result<Sent, OperatorError> {
    let (peer, body) = platform.act::<_, OperatorError>(|act| {
        let peer =
            table::find::<Peer>(act.db, peer_id)?.ok_or_else(|| OperatorError::not_found("peer", peer_id))?;
        let body = Value::Object(body(act, &peer, notices)?);
        Ok((peer, body))
    })?;
    let mut called = call(platform, &peer, &Route::Heartbeat, Some(&body), None).await?;
    let mut times = 1;
    while (platform.rules.out.is_sent_again)(times, &called) {
        times += 1;
        called = call(platform, &peer, &Route::Heartbeat, Some(&body), None).await?;
    }
    platform.act::<_, OperatorError>(|act| take_answer(act, peer_id, &called))?;
    Ok(Sent { body, called })
}

fn body(act: &Act<'_>, peer: &Peer, notices: &[Notice]) -> Result<Map<String, Value>, OperatorError> {
    let mut body = introduction(act, peer)?;
    body.insert("endpoints".to_owned(), own_endpoints(act));
    let status = notices.iter().find_map(|notice| notice.status.clone());
    body.insert("status".to_owned(), json!(status.unwrap_or_else(|| "active".to_owned())));
    if !notices.is_empty() {
        let events: Vec<_> = notices.iter().map(|notice| &notice.event).collect();
        body.insert("events".to_owned(), json!(events));
    }
    (act.rules.out.amend_heartbeat)(&mut body);
    Ok(body)
}

/// Keeps what the peer says of itself in its answer, and leaves it alone where it can't answer.
fn take_answer(act: &Act<'_>, peer_id: &str, called: &Called) -> Result<(), OperatorError> {
    let Some(before) = table::find::<Peer>(act.db, peer_id)? else {
        return Ok(());
    };
    let mut peer = before.clone();
    peer.heartbeat_sent_at = Some(act.now);
    if !called.succeeded() {
        let seconds = called.retry_after_seconds.unwrap_or(PAUSE_SECONDS).max(1);
        peer.paused_until = act.now.checked_add(SignedDuration::from_secs(seconds)).ok();
        return Ok(table::put(act.db, &peer)?);
    }
    peer.paused_until = None;
    let data = called.data();
    if data.is_object() {
        // Its cursor and endpoints are its own business in an answer; the rest is what it says.
        let mut said = data.clone();
        for name in ["endpoints", "sync_cursor"] {
            said.as_object_mut().map(|members| members.remove(name));
        }
        peering::take_introduction(&mut peer, &said);
    }
    table::put(act.db, &peer)?;
    for suspicion in judge_claims(act, &before, &peer, &data)? {
        govern::raise(act, peer_id, &suspicion)?;
    }
    Ok(())
}
