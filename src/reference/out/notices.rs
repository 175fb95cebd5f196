//! Notices that peers are owed: delivered in heartbeats, tried until they arrive.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::heartbeat;
use crate::reference::act::Act;
use crate::reference::platform::Platform;
use crate::reference::store::rows::{Notice, Peer};
use crate::reference::store::{StoreError, table};
use crate::wire::notice::Event;

/// The longest pause between two attempts.
const PAUSE_MINUTES_MAX: i64 = 60;
/// How long a notice is tried at all.
const TRIED_DAYS: i64 = 7;

/// Owes a peer a notice, in this transaction; it is delivered after it.
pub(crate) fn owe(
    act: &Act<'_>,
    peer_id: &str,
    kind: &str,
    severity: &str,
    payload: Value,
) -> Result<(), StoreError> {
    let event = Event {
        id: json!(act.new_id()),
        kind: kind.to_owned(),
        severity: Some(severity.to_owned()),
        emitted_at: Some(act.now.to_string()),
        correlation_id: Some(act.correlation_id.clone()),
        source: Some("federation".to_owned()),
        payload,
        ..Event::default()
    };
    let notice = Notice {
        id: act.new_id(),
        peer_id: peer_id.to_owned(),
        event,
        status: None,
        created_at: act.now,
        due_at: act.now,
        attempts: 0,
        delivered_at: None,
    };
    table::put(act.db, &notice)
}

/// Owes every partner a notice; returns whom.
pub(crate) fn owe_everyone(
    act: &Act<'_>,
    kind: &str,
    severity: &str,
    payload: &Value,
) -> Result<Vec<String>, StoreError> {
    let partners: Vec<Peer> = table::all(act.db)?;
    let partners: Vec<String> = partners.into_iter().filter(Peer::is_partner).map(|peer| peer.id).collect();
    for peer_id in &partners {
        owe(act, peer_id, kind, severity, payload.clone())?;
    }
    Ok(partners)
}

/// Tries to deliver what a peer is owed; what could not be delivered stays in the store.
pub(crate) async fn deliver(platform: &Arc<Platform>, peer_id: &str) {
    let Ok(due) = platform.act::<_, crate::reference::operate::OperatorError>(|act| Ok(due(act, peer_id)?))
    else {
        return;
    };
    if due.is_empty() {
        return;
    }
    let sent = heartbeat::send(platform, peer_id, &due).await;
    let delivered = sent.is_ok_and(|sent| sent.called.succeeded());
    // A platform that died meanwhile has nowhere to write it: it tries again when it is back.
    let _ = platform.act::<_, crate::reference::operate::OperatorError>(|act| {
        for notice in due {
            table::put(act.db, &attempted(act, notice, delivered))?;
        }
        Ok(())
    });
}

/// Delivers what is due to everyone, side by side.
pub(super) async fn deliver_all(platform: &Arc<Platform>) {
    let peers =
        platform.act::<_, crate::reference::operate::OperatorError>(|act| Ok(table::all::<Peer>(act.db)?));
    let peers = peers.unwrap_or_default();
    join_all(peers.iter().map(|peer| deliver(platform, &peer.id))).await;
}

fn due(act: &Act<'_>, peer_id: &str) -> Result<Vec<Notice>, StoreError> {
    let mut notices: Vec<Notice> = table::of_peer(act.db, peer_id)?;
    let tried = SignedDuration::from_hours(24 * TRIED_DAYS);
    notices.retain(|notice| {
        let open = notice.delivered_at.is_none() && notice.due_at <= act.now;
        open && act.now.duration_since(notice.created_at) <= tried && (act.rules.out.is_sent)(notice)
    });
    Ok(notices)
}

/// A notice after an attempt: delivered, or due again after a growing pause.
fn attempted(act: &Act<'_>, mut notice: Notice, delivered: bool) -> Notice {
    notice.attempts += 1;
    if delivered {
        notice.delivered_at = Some(act.now);
        return notice;
    }
    let minutes = (1_i64 << notice.attempts.min(6)).min(PAUSE_MINUTES_MAX);
    notice.due_at = act.now.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(act.now);
    notice
}
