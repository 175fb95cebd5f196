//! `POST /sync`: a batch is accepted completely or not at all (6.3).

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{InboundCall, InboundError, Reply};
use crate::capabilities;
use crate::handshake::versions;
use crate::policy::policy;
use crate::store::records::{self, Record};
use crate::store::rows::{Capability, Direction, Peer, Stream};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::canonical::sha256_hex;
use covenant_model::wire::notice::finding;
use covenant_model::wire::sync::{SyncBatch, SyncRecord};

policy! {
    /// The policy for a batch of a sync stream.
    Policy {
        /// Returns whether the digest matches the records.
        digest_matches: fn(&Value) -> bool = digest_matches,
        /// Returns whether the batch contains a record twice.
        has_repeats: fn(&SyncBatch) -> bool = has_repeats,
        /// Returns whether a record and its payload have the same id (7.4).
        ids_match: fn(&SyncRecord) -> bool = ids_match,
        /// Returns the id under which a record is stored.
        choose_id: fn(&SyncRecord) -> &str = |record| &record.id,
        /// Returns whether the batch continues the stream at its cursor.
        continues_stream: fn(Option<&Stream>, &SyncBatch) -> bool = continues_stream,
        /// Returns whether a replayed batch is skipped. The default rejects it as a batch that does not
        /// continue the stream.
        skips_replay: fn(Option<&Stream>, &SyncBatch) -> bool = |_, _| false,
        /// Returns the declaration of a kind to a peer, by which its batches are taken (7.5).
        find_row: fn(&Transaction<'_>, &str, &str) -> Result<Option<Capability>, StoreError> = capabilities::row,
        /// Returns whether the declared direction admits records (7.5).
        admits_records: fn(&Capability) -> bool = admits_records,
        /// Returns whether sync is frozen for a peer (10.1): by its version at the moment, whatever it ran before.
        freezes: fn(&InboundCall<'_>, &versions::Compatibility) -> Result<bool, StoreError> =
            |_, compatibility| Ok(compatibility.is_frozen()),
        /// Returns whether a batch is answered with success but discarded (10.2). The default never discards.
        discards: fn(&Transaction<'_>, &Peer) -> Result<bool, StoreError> = |_, _| Ok(false),
        /// Returns whether every record passes the filter that the peer itself declared (3.3).
        matches_declared_filter: fn(&Peer, &SyncBatch) -> bool = matches_declared_filter,
    }
}

/// Returns whether the digest matches the canonical form of the records as received. The sender may have
/// escaped non-ASCII characters before hashing.
pub(crate) fn digest_matches(body: &Value) -> bool {
    let canonical = body["records"].to_string();
    let given = body["sha256"].as_str().unwrap_or_default();
    [sha256_hex(&canonical), sha256_hex(escaped(&canonical))]
        .iter()
        .any(|digest| digest.eq_ignore_ascii_case(given))
}

/// Returns whether two records have the same id.
pub(crate) fn has_repeats(batch: &SyncBatch) -> bool {
    let ids: BTreeSet<&str> = batch.records.iter().map(|record| record.id.as_str()).collect();
    ids.len() != batch.records.len()
}

/// Returns whether the ids are equal or the payload has no id.
pub(crate) fn ids_match(record: &SyncRecord) -> bool {
    record.payload.get("id").is_none_or(|id| *id == record.id)
}

/// Returns whether the batch continues the stream. The first batch may start anywhere; each later one starts
/// at the end of the previous one.
pub(crate) fn continues_stream(stream: Option<&Stream>, batch: &SyncBatch) -> bool {
    stream.is_none_or(|stream| stream.cursor == batch.cursor.from)
}

/// Returns whether the row declares a flow from the peer to this platform.
pub(crate) fn admits_records(row: &Capability) -> bool {
    matches!(row.direction.as_str(), "pull_remote_to_local" | "bidirectional")
}

/// Returns whether the records pass every filter that the peer declares.
pub(crate) fn matches_declared_filter(peer: &Peer, batch: &SyncBatch) -> bool {
    let rows = peer.capabilities["resource_kinds"].as_array();
    let declared = rows.into_iter().flatten().find(|row| row["kind"] == *batch.resource_kind);
    let Some(filter) = declared.and_then(|row| row["filter"].as_object()) else {
        return true;
    };
    batch.records.iter().all(|record| capabilities::passes_filter(filter, &record.payload))
}

/// Accepts a batch, or refuses all of it.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Result<Reply, InboundError> {
    let body = inbound.json()?;
    let batch = SyncBatch::deserialize(&body).map_err(|error| {
        let corrupt = corrupt("a batch that can't be read", &body);
        refuse(422, &format!("Invalid batch: {error}"), Some(corrupt))
    })?;
    check_agreement(inbound, &batch)?;
    check_integrity(inbound, &body, &batch)?;
    let stream = table::find::<Stream>(inbound.tx.db, &stream_id(inbound, &batch))?;
    let accepted = if (inbound.tx.policy.sync.skips_replay)(stream.as_ref(), &batch) {
        batch.records.len()
    } else {
        check_place(inbound, &body, &batch, stream.as_ref())?;
        store(inbound, &batch)?
    };
    Ok(Reply::success(&json!({"accepted": accepted, "cursor": batch.cursor.to})))
}

/// Checks that such a stream is agreed on.
fn check_agreement(inbound: &InboundCall<'_>, batch: &SyncBatch) -> Result<(), InboundError> {
    let (tx, peer, kind) = (inbound.tx, &inbound.peer, &batch.resource_kind);
    let Some(row) = (tx.policy.sync.find_row)(tx, &peer.id, kind)? else {
        let text = format!("Resource kind {kind:?} is not declared in federation_inventory.yaml");
        return Err(Reply::failure(422, text).suspecting(inbound.refused(kind)).refused());
    };
    if !(tx.policy.sync.admits_records)(&row) {
        let after_migration = row.direction == "migration_only";
        let message = "a sync of what is for migration only";
        let suspicion =
            Suspicion::breach(finding::SYNC_AFTER_MIGRATION, &[7], message, json!({"kind": kind}));
        let text = format!("{kind} is declared {}: nothing is synced to here", row.direction);
        return Err(refuse(422, &text, after_migration.then_some(suspicion)));
    }
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    if (tx.policy.sync.freezes)(inbound, &compatibility)? {
        let reply = Reply::failure(422, "sync is frozen: the platform versions do not go together");
        return Err(reply.noting(compatibility.drift()).refused());
    }
    Ok(())
}

fn check_integrity(inbound: &InboundCall<'_>, body: &Value, batch: &SyncBatch) -> Result<(), InboundError> {
    let policy = &inbound.tx.policy.sync;
    if !(policy.digest_matches)(body) {
        let suspicion = corrupt("the digest is not that of the records", body);
        return Err(refuse(422, "sha256 does not match the records", Some(suspicion)));
    }
    if (policy.has_repeats)(batch) {
        let suspicion = corrupt("a batch contains a record twice", body);
        return Err(refuse(422, "a record is repeated", Some(suspicion)));
    }
    if !batch.records.iter().all(policy.ids_match) {
        let suspicion = corrupt("a record is another than its payload names", body);
        return Err(refuse(422, "payload.id is not the record's id", Some(suspicion)));
    }
    if !(policy.matches_declared_filter)(&inbound.peer, batch) {
        let facts = json!({"kind": batch.resource_kind});
        let message = "records outside the filter that the peer declared";
        let drift = Suspicion::breach(finding::CAPABILITY_DRIFT, &[3], message, facts);
        return Err(refuse(422, message, Some(drift)));
    }
    Ok(())
}

fn check_place(
    inbound: &InboundCall<'_>,
    body: &Value,
    batch: &SyncBatch,
    stream: Option<&Stream>,
) -> Result<(), InboundError> {
    if (inbound.tx.policy.sync.continues_stream)(stream, batch) {
        return Ok(());
    }
    let suspicion = corrupt("the cursor does not join on", body);
    Err(refuse(409, "the cursor does not join on", Some(suspicion)))
}

/// Stores every record and advances the stream. Returns the number of records.
fn store(inbound: &InboundCall<'_>, batch: &SyncBatch) -> Result<usize, InboundError> {
    let tx = inbound.tx;
    let is_dropped = (tx.policy.sync.discards)(tx, &inbound.peer)?;
    let records = if is_dropped { &[][..] } else { &batch.records };
    for given in records {
        let mut record = Record {
            source_peer_id: Some(inbound.peer.id.clone()),
            ..Record::own(&batch.resource_kind, (tx.policy.sync.choose_id)(given), given.payload.clone())
        };
        (tx.policy.capabilities.override_record)(&mut record);
        if let Some(text) = (tx.policy.capabilities.refusal)(tx, &record, false)? {
            return Err(refuse(422, &text, None));
        }
        if slug_is_taken(tx, &record)? {
            let text = format!("slug of {} is taken by another record", record.id);
            return Err(refuse(422, &text, None));
        }
        records::put(tx.db, &record)?;
    }
    let stream = Stream {
        id: stream_id(inbound, batch),
        peer_id: inbound.peer.id.clone(),
        resource_kind: batch.resource_kind.clone(),
        direction: Direction::Inbound,
        cursor: batch.cursor.to.clone(),
        updated_at: tx.now,
    };
    table::put(tx.db, &stream)?;
    Ok(records.len())
}

fn slug_is_taken(tx: &Transaction<'_>, record: &Record) -> Result<bool, StoreError> {
    let Some(slug) = record.slug() else {
        return Ok(false);
    };
    Ok(records::with_slug(tx.db, &record.kind, slug)?.is_some_and(|other| other.id != record.id))
}

fn stream_id(inbound: &InboundCall<'_>, batch: &SyncBatch) -> String {
    format!("inbound/{}/{}", inbound.peer.id, batch.resource_kind)
}

fn corrupt(message: &str, body: &Value) -> Suspicion {
    let payload = json!({"resource_kind": body["resource_kind"], "cursor": body["cursor"]});
    Suspicion::breach(finding::SYNC_CORRUPT, &[6], message, payload)
}

fn refuse(status: u16, text: &str, suspicion: Option<Suspicion>) -> InboundError {
    Reply::failure(status, text).suspecting(suspicion).refused()
}

/// Returns the same JSON with every non-ASCII character as a `\u` escape.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(text, "\\u{unit:04x}").expect("a text takes any text");
            }
        }
    }
    text
}
