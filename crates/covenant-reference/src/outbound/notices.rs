//! Notices that peers are owed: delivered in heartbeats, and retried until they arrive.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::outbound_call::Called;
use super::{heartbeat, side_by_side};
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Notice, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::wire::notice::Event;

/// Maximum pause between two attempts, in minutes.
const PAUSE_MINUTES_MAX: i64 = 60;
/// Maximum pause that a peer can ask for: no peer can delay a notice for ever.
const PAUSE_ASKED_MAX: SignedDuration = SignedDuration::from_hours(1);
/// Days for which a notice is retried.
const TRIED_DAYS: i64 = 7;

/// Stores a notice for a peer in this transaction. It is delivered afterwards.
pub(crate) fn owe(
    tx: &Transaction<'_>,
    peer_id: &str,
    kind: &str,
    severity: &str,
    payload: Value,
) -> Result<(), StoreError> {
    let event = Event {
        id: json!(tx.new_id()),
        kind: kind.to_owned(),
        severity: Some(severity.to_owned()),
        emitted_at: Some(tx.now.to_string()),
        correlation_id: Some(tx.correlation_id.clone()),
        source: Some("federation".to_owned()),
        payload,
        ..Event::default()
    };
    let notice = Notice {
        id: tx.new_id(),
        peer_id: peer_id.to_owned(),
        event,
        status: None,
        created_at: tx.now,
        due_at: tx.now.checked_add((tx.policy.outbound.delay_notice)(kind)).unwrap_or(tx.now),
        attempts: 0,
        delivered_at: None,
    };
    table::put(tx.db, &notice)
}

/// Stores a notice for every partner. Returns the partners.
pub(crate) fn owe_everyone(
    tx: &Transaction<'_>,
    kind: &str,
    severity: &str,
    payload: &Value,
) -> Result<Vec<String>, StoreError> {
    let partners: Vec<Peer> = table::all(tx.db)?;
    let partners = partners.into_iter().filter(Peer::is_partner).collect();
    let partners = (tx.policy.outbound.select_recipients)(kind, partners);
    let partners: Vec<String> = partners.into_iter().map(|peer| peer.id).collect();
    for peer_id in &partners {
        owe(tx, peer_id, kind, severity, payload.clone())?;
    }
    Ok(partners)
}

/// Tries to deliver the notices for a peer. An undelivered notice stays in the store.
pub(crate) async fn deliver(platform: &Arc<Platform>, peer_id: &str) {
    let Ok(due) = platform.transaction::<_, MethodError>(|tx| Ok(due(tx, peer_id)?)) else {
        return;
    };
    if due.is_empty() {
        return;
    }
    let sent = heartbeat::send(platform, peer_id, &due).await;
    let called = sent.map(|sent| sent.called).unwrap_or_default();
    // A platform that died meanwhile has no store to write to. It tries again after its restart.
    let _ = platform.transaction::<_, MethodError>(|tx| {
        for notice in due {
            table::put(tx.db, &attempted(tx, notice, &called))?;
        }
        Ok(())
    });
}

/// Delivers all due notices to all peers concurrently. Most peers have none, and there may be thousands of them.
pub(super) async fn deliver_all(platform: &Arc<Platform>) {
    let peers = platform.transaction::<_, MethodError>(|tx| {
        let owed = table::owners::<Notice>(tx.db)?;
        let mut peers = if owed.is_empty() { vec![] } else { table::all::<Peer>(tx.db)? };
        peers.retain(|peer| owed.contains(&peer.id));
        Ok(peers)
    });
    let peers = peers.unwrap_or_default();
    side_by_side(peers.iter().map(|peer| deliver(platform, &peer.id)).collect()).await;
}

fn due(tx: &Transaction<'_>, peer_id: &str) -> Result<Vec<Notice>, StoreError> {
    let mut notices = (tx.policy.outbound.select_kept)(table::of_peer(tx.db, peer_id)?);
    let tried = SignedDuration::from_hours(24 * TRIED_DAYS);
    notices.retain(|notice| {
        let open = notice.delivered_at.is_none() && notice.due_at <= tx.now;
        open && tx.now.duration_since(notice.created_at) <= tried && (tx.policy.outbound.is_sent)(notice)
    });
    let may_deliver = |notice: Notice| Ok((tx.policy.outbound.may_deliver)(tx, &notice)?.then_some(notice));
    notices.into_iter().filter_map(|notice| may_deliver(notice).transpose()).collect()
}

/// Returns the notice after an attempt: delivered, or due again after a growing pause and not before the time
/// that the peer named.
fn attempted(tx: &Transaction<'_>, mut notice: Notice, called: &Called) -> Notice {
    notice.attempts += 1;
    if called.succeeded() {
        notice.delivered_at = Some(tx.now);
        return notice;
    }
    let minutes = (1_i64 << notice.attempts.min(6)).min(PAUSE_MINUTES_MAX);
    let asked = SignedDuration::from_secs(called.retry_after_seconds.unwrap_or(0));
    let pause = SignedDuration::from_mins(minutes).max(asked.min(PAUSE_ASKED_MAX));
    notice.due_at = tx.now.checked_add(pause).unwrap_or(tx.now);
    notice
}
