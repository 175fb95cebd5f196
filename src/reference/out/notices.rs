//! Notices that peers are owed: delivered in heartbeats, tried until they arrive.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::line::Called;
use super::{heartbeat, side_by_side};
use crate::reference::act::Act;
use crate::reference::operate::OperatorError;
use crate::reference::platform::Platform;
use crate::reference::store::rows::{Notice, Peer};
use crate::reference::store::{StoreError, table};
use crate::wire::notice::Event;

/// The longest pause between two attempts.
const PAUSE_MINUTES_MAX: i64 = 60;
/// The longest pause that a peer can ask for: no one puts a notice off for ever.
const PAUSE_ASKED_MAX: SignedDuration = SignedDuration::from_hours(1);
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
        due_at: act.now.checked_add((act.rules.out.delay)(kind)).unwrap_or(act.now),
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
    let partners = partners.into_iter().filter(Peer::is_partner).collect();
    let partners = (act.rules.out.owed_to)(kind, partners);
    let partners: Vec<String> = partners.into_iter().map(|peer| peer.id).collect();
    for peer_id in &partners {
        owe(act, peer_id, kind, severity, payload.clone())?;
    }
    Ok(partners)
}

/// Tries to deliver what a peer is owed; what could not be delivered stays in the store.
pub(crate) async fn deliver(platform: &Arc<Platform>, peer_id: &str) {
    let Ok(due) = platform.act::<_, OperatorError>(|act| Ok(due(act, peer_id)?)) else {
        return;
    };
    if due.is_empty() {
        return;
    }
    let sent = heartbeat::send(platform, peer_id, &due).await;
    let called = sent.map(|sent| sent.called).unwrap_or_default();
    // A platform that died meanwhile has nowhere to write it: it tries again when it is back.
    let _ = platform.act::<_, OperatorError>(|act| {
        for notice in due {
            table::put(act.db, &attempted(act, notice, &called))?;
        }
        Ok(())
    });
}

/// Delivers what is due to everyone, side by side.
pub(super) async fn deliver_all(platform: &Arc<Platform>) {
    let peers = platform.act::<_, OperatorError>(|act| Ok(table::all::<Peer>(act.db)?));
    let peers = peers.unwrap_or_default();
    side_by_side(peers.iter().map(|peer| deliver(platform, &peer.id)).collect()).await;
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

/// A notice after an attempt: delivered, or due again after a growing pause, and not before the peer
/// asked for it.
fn attempted(act: &Act<'_>, mut notice: Notice, called: &Called) -> Notice {
    notice.attempts += 1;
    if called.succeeded() {
        notice.delivered_at = Some(act.now);
        return notice;
    }
    let minutes = (1_i64 << notice.attempts.min(6)).min(PAUSE_MINUTES_MAX);
    let asked = SignedDuration::from_secs(called.retry_after_seconds.unwrap_or(0));
    let pause = SignedDuration::from_mins(minutes).max(asked.min(PAUSE_ASKED_MAX));
    notice.due_at = act.now.checked_add(pause).unwrap_or(act.now);
    notice
}
