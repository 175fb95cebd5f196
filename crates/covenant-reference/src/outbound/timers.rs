//! The timers: notices, heartbeats, stale and silent peers, requested excerpts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{excerpts, heartbeat, notices, side_by_side, sync};
use crate::governance;
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Grant, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// Time without a call after which a peer is stale.
const STALE: SignedDuration = SignedDuration::from_mins(5);
/// Time for which a revoked grant is kept before it is archived.
const ARCHIVED_AFTER: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Runs every timer that is due up to `until`. A recurring timer runs once, however far the clock moved.
pub(crate) async fn run_due_timers(platform: &Arc<Platform>, until: Timestamp) {
    notices::deliver_all(platform).await;
    send_heartbeats(platform, until).await;
    // This comes after the heartbeats: a peer for which this platform is stale gives no excerpt.
    excerpts::ask_again(platform, until).await;
    sync::run_automatic(platform).await;
    if let Some(also_due) = platform.policy.outbound.on_timers {
        also_due(Arc::clone(platform)).await;
    }
    // A platform that died meanwhile has nothing to note.
    let _ = platform.transaction::<_, MethodError>(|tx| {
        note_stale_peers(tx)?;
        excerpts::note_overdue(tx)?;
        archive_grants(tx)?;
        Ok(())
    });
}

/// Returns whether the peer has refused calls for the stale time, or is stale and refuses.
pub(crate) fn has_revoked_silently(peer: &Peer, now: Timestamp) -> bool {
    let old = |since: Option<Timestamp>| since.is_some_and(|since| now.duration_since(since) >= STALE);
    peer.refusing_since.is_some()
        && (old(peer.refusing_since) || old(peer.last_heartbeat_at.or(peer.enrolled_at)))
}

/// Returns whether five minutes have passed without a heartbeat.
pub(crate) fn is_stale(last_call_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(last_call_at) >= STALE
}

async fn send_heartbeats(platform: &Arc<Platform>, until: Timestamp) {
    let due = platform.transaction::<_, MethodError>(|tx| {
        let every = SignedDuration::from_secs((tx.policy.outbound.choose_heartbeat_seconds)(
            tx.settings.heartbeat_seconds,
        ));
        let mut peers: Vec<Peer> = table::all(tx.db)?;
        peers.retain(|peer| {
            let rested = peer.heartbeat_sent_at.is_none_or(|at| until.duration_since(at) >= every);
            peer.status.may_call() && rested && peer.paused_until.is_none_or(|end| until >= end)
        });
        Ok(peers)
    });
    let due = due.unwrap_or_default();
    side_by_side(due.iter().map(|peer| heartbeat::send(platform, &peer.id, &[])).collect()).await;
}

fn note_stale_peers(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for mut peer in table::all::<Peer>(tx.db)? {
        if !peer.status.may_call() {
            continue;
        }
        if (tx.policy.outbound.has_revoked_silently)(&peer, tx.now) {
            let facts = json!({"refusing_since": peer.refusing_since.map(|since| since.to_string())});
            let message = "the peer refuses every call and gave no notice";
            governance::note(tx, &peer.id, &Suspicion::soft(finding::REVOKED_SILENTLY, message, facts))?;
        }
        let last_call_at = peer.last_heartbeat_at.or(peer.enrolled_at).unwrap_or(peer.proposed_at);
        if (tx.policy.outbound.is_stale)(last_call_at, tx.now) {
            if peer.status == PeerStatus::Active {
                peer.status = PeerStatus::Degraded;
                table::put(tx.db, &peer)?;
            }
            let facts = json!({"last_heartbeat_at": last_call_at.to_string()});
            let message = "no heartbeat for five minutes";
            governance::note(tx, &peer.id, &Suspicion::soft(finding::HEARTBEAT_STALE, message, facts))?;
        }
    }
    Ok(())
}

fn archive_grants(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for mut grant in table::all::<Grant>(tx.db)? {
        let old = grant.revoked_at.is_some_and(|at| tx.now.duration_since(at) >= ARCHIVED_AFTER);
        if old && grant.archived_at.is_none() {
            grant.archived_at = Some(tx.now);
            table::put(tx.db, &grant)?;
            (tx.policy.peering.on_archival)(tx, &grant)?;
        }
    }
    Ok(())
}
