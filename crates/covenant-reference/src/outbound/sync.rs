//! Outbound sync batches: on an operator's request, and automatically if that is declared.

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::outbound_call::call;
use crate::capabilities;
use crate::handshake::versions;
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::records;
use crate::store::rows::{Capability, Direction, Peer, Stream};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::operator::INTERNAL;
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::{SyncBatch, SyncRecord};

/// A batch as it is sent.
pub(crate) struct CarriedBatch {
    pub(crate) route: Route,
    pub(crate) body: Value,
    /// The grant that the route needs.
    pub(crate) token: Option<String>,
}

/// Returns the batch as a sync, which needs no grant.
pub(crate) fn carry_batch(
    _: &Transaction<'_>,
    _: &Peer,
    batch: &SyncBatch,
) -> Result<Option<CarriedBatch>, MethodError> {
    let body = serde_json::to_value(batch).map_err(|error| MethodError::new(INTERNAL, error.to_string()))?;
    Ok(Some(CarriedBatch { route: Route::Sync, body, token: None }))
}

/// Returns whether the row declares an automatic outbound flow.
pub(crate) fn syncs_automatically(row: &Capability, _: SignedDuration) -> bool {
    let automatic = matches!(row.policy.as_str(), "auto_on_change" | "auto_periodic" | "on_match_filter");
    automatic && flows_out(row)
}

/// Sends every declared kind that flows to this peer, on an operator's request.
pub(crate) async fn run(platform: &Arc<Platform>, peer_id: &str) -> Result<Value, MethodError> {
    let (rows, held_back) = platform.transaction::<_, MethodError>(|tx| {
        let peer =
            table::find::<Peer>(tx.db, peer_id)?.ok_or_else(|| MethodError::not_found("peer", peer_id))?;
        let mut rows = capabilities::declared(tx, peer_id)?;
        rows.retain(tx.policy.outbound.flows_in_sweeps);
        Ok((rows, held_back(tx, &peer)?))
    })?;
    if let Some(reason) = held_back {
        return Ok(json!({"batches": [], "held_back": reason}));
    }
    let mut sent = Vec::new();
    for row in &rows {
        sent.extend(send(platform, peer_id, row).await?);
    }
    Ok(json!({ "batches": sent }))
}

/// Sends all automatic flows to every active peer.
pub(super) async fn run_automatic(platform: &Arc<Platform>) {
    let peers = platform.transaction::<_, MethodError>(|tx| {
        // Without a kind nothing flows to any of the peers, which may be thousands.
        Ok(if capabilities::has_kinds(tx)? { table::all::<Peer>(tx.db)? } else { vec![] })
    });
    for peer in &peers.unwrap_or_default() {
        let rows = platform.transaction::<_, MethodError>(|tx| Ok(flowing(tx, peer)?));
        for row in &rows.unwrap_or_default() {
            // An unreachable peer gets the batch the next time.
            let _ = send(platform, &peer.id, row).await;
        }
    }
}

/// Returns the kinds that flow to a peer automatically.
fn flowing(tx: &Transaction<'_>, peer: &Peer) -> Result<Vec<Capability>, StoreError> {
    if held_back(tx, peer)?.is_some() {
        return Ok(vec![]);
    }
    let enrolled_for = peer.enrolled_at.map_or(SignedDuration::ZERO, |at| tx.now.duration_since(at));
    let mut rows = capabilities::declared(tx, &peer.id)?;
    rows.retain(|row| (tx.policy.outbound.syncs_automatically)(row, enrolled_for));
    Ok(rows)
}

/// Returns the reason why sync to a peer is held back, or `None` if it is not.
fn held_back(tx: &Transaction<'_>, peer: &Peer) -> Result<Option<String>, StoreError> {
    if !peer.status.may_call() {
        return Ok(Some(format!("the peer is {}", peer.status)));
    }
    if peer.paused_until.is_some_and(|end| tx.now < end) {
        return Ok(Some("the peer answers errors, so calls to it are paused".to_owned()));
    }
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    let frozen = (tx.policy.outbound.freezes)(&compatibility);
    Ok(frozen.then(|| "the platform versions do not go together".to_owned()))
}

/// Returns whether the peer declares that it accepts a kind. A declaration without a direction accepts it.
pub(crate) fn accepts_kind(peer: &Peer, kind: &str) -> bool {
    let rows = peer.capabilities["resource_kinds"].as_array();
    rows.into_iter().flatten().filter(|row| row["kind"] == kind).any(|row| {
        row["direction"].as_str().is_none_or(|way| matches!(way, "pull_remote_to_local" | "bidirectional"))
    })
}

pub(crate) fn flows_out(row: &Capability) -> bool {
    matches!(row.direction.as_str(), "push_local_to_remote" | "bidirectional")
}

/// Sends the records of one kind as a batch. Returns `None` if there is nothing new.
async fn send(
    platform: &Arc<Platform>,
    peer_id: &str,
    row: &Capability,
) -> Result<Option<Value>, MethodError> {
    let due = platform.transaction::<_, MethodError>(|tx| {
        let Some((peer, batch)) = batch(tx, peer_id, row)? else { return Ok(None) };
        let carried = (tx.policy.outbound.carry_batch)(tx, &peer, &batch)?;
        Ok(carried.map(|carried| (peer, batch, carried)))
    })?;
    let Some((peer, batch, CarriedBatch { route, body, token })) = due else { return Ok(None) };
    let called = call(platform, &peer, &route, Some(&body), token.as_deref()).await?;
    if called.succeeded() {
        platform.transaction::<_, MethodError>(|tx| {
            let stream = Stream {
                id: stream_id(peer_id, &row.resource_kind),
                peer_id: peer_id.to_owned(),
                resource_kind: row.resource_kind.clone(),
                direction: Direction::Outbound,
                cursor: json!({"to": batch.cursor.to, "sha256": batch.sha256}),
                updated_at: tx.now,
            };
            Ok(table::put(tx.db, &stream)?)
        })?;
    }
    Ok(Some(json!({"sent": body, "answered": called.status})))
}

fn batch(
    tx: &Transaction<'_>,
    peer_id: &str,
    row: &Capability,
) -> Result<Option<(Peer, SyncBatch)>, StoreError> {
    let Some(peer) = table::find::<Peer>(tx.db, peer_id)? else {
        return Ok(None);
    };
    if !(tx.policy.outbound.accepts_kind)(&peer, &row.resource_kind) {
        return Ok(None);
    }
    let records: Vec<SyncRecord> = records::list(tx.db, Some(&row.resource_kind))?
        .into_iter()
        .filter(|record| {
            let filter = row.filter.as_ref();
            filter.is_none_or(|filter| (tx.policy.outbound.passes_filter)(tx, filter, record))
        })
        .map(|record| SyncRecord {
            id: record.id,
            updated_at: tx.now.to_string(),
            payload: record.body,
            extra: std::collections::BTreeMap::new(),
        })
        .collect();
    let stream = table::find::<Stream>(tx.db, &stream_id(peer_id, &row.resource_kind))?;
    let payloads: Vec<_> = records.iter().map(|record| &record.payload).collect();
    let state = covenant_model::wire::canonical::sha256_hex(json!(payloads).to_string());
    let unchanged = stream.as_ref().is_some_and(|stream| stream.cursor["sha256"] == json!(state));
    if records.is_empty() || unchanged {
        return Ok(None);
    }
    let from = stream.map_or_else(|| json!("0"), |stream| stream.cursor["to"].clone());
    let position: u64 = from.as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
    let body = json!({
        "resource_kind": row.resource_kind,
        "cursor": {"from": from, "to": (position + records.len() as u64).to_string()},
        "sha256": SyncBatch::digest(&records),
        "records": records,
    });
    let batch = SyncBatch::deserialize(&body).ok();
    Ok(batch.map(|mut batch| {
        (tx.policy.outbound.override_batch)(&mut batch);
        (peer, batch)
    }))
}

fn stream_id(peer_id: &str, kind: &str) -> String {
    format!("outbound/{peer_id}/{kind}")
}
