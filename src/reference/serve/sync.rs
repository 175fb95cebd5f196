//! `POST /sync`: a batch is taken whole or not at all (6.3).

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Reply, Visit};
use crate::reference::act::Act;
use crate::reference::capabilities;
use crate::reference::govern::Suspicion;
use crate::reference::handshake::versions;
use crate::reference::rules::rules;
use crate::reference::store::records::{self, Record};
use crate::reference::store::rows::{Capability, Direction, Peer, Stream};
use crate::reference::store::{StoreError, table};
use crate::wire::canonical::sha256_hex;
use crate::wire::notice::finding;
use crate::wire::sync::{SyncBatch, SyncRecord};

rules! {
    /// Decisions about a batch of a sync stream.
    Rules {
        /// Whether the digest is that of the records.
        digest_is_right: fn(&Value) -> bool = digest_is_right,
        /// Whether a record stands twice in the batch.
        has_repeats: fn(&SyncBatch) -> bool = has_repeats,
        /// Whether a record is the one that its payload names (7.4).
        names_agree: fn(&SyncRecord) -> bool = names_agree,
        /// Under which id a record is kept.
        kept_id: fn(&SyncRecord) -> &str = |record| &record.id,
        /// Whether the batch joins on to where the stream stands.
        joins_on: fn(Option<&Stream>, &SyncBatch) -> bool = joins_on,
        /// Whether a batch that was had before is passed over: it is not, and joins on to nothing.
        passes_over: fn(Option<&Stream>, &SyncBatch) -> bool = |_, _| false,
        /// Whether a declared direction lets records in (7.5).
        lets_in: fn(&Capability) -> bool = lets_in,
        /// Whether nothing is taken of a peer whose version does not go with ours (10.1).
        freezes: fn(&versions::Compatibility) -> bool = versions::Compatibility::is_frozen,
        /// Whether a batch is answered with success, and nothing of it kept (10.2): never.
        is_dropped: fn(&Act<'_>, &Peer) -> Result<bool, StoreError> = |_, _| Ok(false),
        /// Whether every record passes the filter that the peer itself declared (3.3).
        keeps_own_filter: fn(&Peer, &SyncBatch) -> bool = keeps_own_filter,
        /// Whether what is wrong with a stream is reported.
        is_reported: fn(&Suspicion) -> bool = |_| true,
    }
}

/// Over the records as they came, canonical; non-ASCII may have been escaped when it was taken.
pub(crate) fn digest_is_right(body: &Value) -> bool {
    let canonical = body["records"].to_string();
    let given = body["sha256"].as_str().unwrap_or_default();
    [sha256_hex(&canonical), sha256_hex(escaped(&canonical))]
        .iter()
        .any(|digest| digest.eq_ignore_ascii_case(given))
}

/// The same id twice.
pub(crate) fn has_repeats(batch: &SyncBatch) -> bool {
    let ids: BTreeSet<&str> = batch.records.iter().map(|record| record.id.as_str()).collect();
    ids.len() != batch.records.len()
}

/// The same, or the payload names none.
pub(crate) fn names_agree(record: &SyncRecord) -> bool {
    record.payload.get("id").is_none_or(|id| *id == record.id)
}

/// The first batch joins whatever its `from`; each later one at the end of the one before.
pub(crate) fn joins_on(stream: Option<&Stream>, batch: &SyncBatch) -> bool {
    stream.is_none_or(|stream| stream.cursor == batch.cursor.from)
}

/// From the peer to here, as the one who declares it sees it.
pub(crate) fn lets_in(row: &Capability) -> bool {
    matches!(row.direction.as_str(), "pull_remote_to_local" | "bidirectional")
}

/// What it declares to filter, it filters.
pub(crate) fn keeps_own_filter(peer: &Peer, batch: &SyncBatch) -> bool {
    let rows = peer.capabilities["resource_kinds"].as_array();
    let declared = rows.into_iter().flatten().find(|row| row["kind"] == *batch.resource_kind);
    let Some(filter) = declared.and_then(|row| row["filter"].as_object()) else {
        return true;
    };
    batch.records.iter().all(|record| capabilities::passes_filter(filter, &record.payload))
}

/// Takes a batch, or refuses all of it.
pub(super) fn answer(visit: &Visit<'_>) -> Result<Reply, Fault> {
    let body = visit.json()?;
    let batch = SyncBatch::deserialize(&body).map_err(|error| {
        let corrupt = corrupt("a batch that can't be read", &body);
        refuse(visit, 422, &format!("Invalid batch: {error}"), Some(corrupt))
    })?;
    check_agreement(visit, &batch)?;
    check_integrity(visit, &body, &batch)?;
    let stream = table::find::<Stream>(visit.act.db, &stream_id(visit, &batch))?;
    let accepted = if (visit.act.rules.sync.passes_over)(stream.as_ref(), &batch) {
        batch.records.len()
    } else {
        check_place(visit, &body, &batch, stream.as_ref())?;
        store(visit, &batch)?
    };
    Ok(Reply::success(&json!({"accepted": accepted, "cursor": batch.cursor.to})))
}

/// Whether such a stream was agreed on at all.
fn check_agreement(visit: &Visit<'_>, batch: &SyncBatch) -> Result<(), Fault> {
    let (act, peer, kind) = (visit.act, &visit.peer, &batch.resource_kind);
    let Some(row) = capabilities::row(act, &peer.id, kind)? else {
        let text = format!("Resource kind {kind:?} is not declared in federation_inventory.yaml");
        return Err(Reply::failure(422, text).suspecting(visit.refused(kind)).refused());
    };
    if !(act.rules.sync.lets_in)(&row) {
        let after_migration = row.direction == "migration_only";
        let message = "a sync of what is for migration only";
        let suspicion =
            Suspicion::breach(finding::SYNC_AFTER_MIGRATION, &[7], message, json!({"kind": kind}));
        let text = format!("{kind} is declared {}: nothing is synced to here", row.direction);
        return Err(refuse(visit, 422, &text, after_migration.then_some(suspicion)));
    }
    let compatibility = versions::compatibility(act, peer.platform_version.as_deref())?;
    if (act.rules.sync.freezes)(&compatibility) {
        let reply = Reply::failure(422, "sync is frozen: the platform versions do not go together");
        return Err(reply.noting(compatibility.drift()).refused());
    }
    Ok(())
}

fn check_integrity(visit: &Visit<'_>, body: &Value, batch: &SyncBatch) -> Result<(), Fault> {
    let rules = &visit.act.rules.sync;
    if !(rules.digest_is_right)(body) {
        let suspicion = corrupt("the digest is not that of the records", body);
        return Err(refuse(visit, 422, "sha256 does not match the records", Some(suspicion)));
    }
    if (rules.has_repeats)(batch) {
        let suspicion = corrupt("a record stands twice in a batch", body);
        return Err(refuse(visit, 422, "a record is repeated", Some(suspicion)));
    }
    if !batch.records.iter().all(rules.names_agree) {
        let suspicion = corrupt("a record is another than its payload names", body);
        return Err(refuse(visit, 422, "payload.id is not the record's id", Some(suspicion)));
    }
    if !(rules.keeps_own_filter)(&visit.peer, batch) {
        let facts = json!({"kind": batch.resource_kind});
        let message = "records outside the filter that the peer declared";
        let drift = Suspicion::breach(finding::CAPABILITY_DRIFT, &[3], message, facts);
        return Err(refuse(visit, 422, message, Some(drift)));
    }
    Ok(())
}

fn check_place(
    visit: &Visit<'_>,
    body: &Value,
    batch: &SyncBatch,
    stream: Option<&Stream>,
) -> Result<(), Fault> {
    if (visit.act.rules.sync.joins_on)(stream, batch) {
        return Ok(());
    }
    let suspicion = corrupt("the cursor does not join on", body);
    Err(refuse(visit, 409, "the cursor does not join on", Some(suspicion)))
}

/// Puts every record in place, and moves the stream on. How many there were.
fn store(visit: &Visit<'_>, batch: &SyncBatch) -> Result<usize, Fault> {
    let act = visit.act;
    let is_dropped = (act.rules.sync.is_dropped)(act, &visit.peer)?;
    let records = if is_dropped { &[][..] } else { &batch.records };
    for given in records {
        let record = Record {
            source_peer_id: Some(visit.peer.id.clone()),
            ..Record::own(&batch.resource_kind, (act.rules.sync.kept_id)(given), given.payload.clone())
        };
        if slug_is_taken(act, &record)? {
            let text = format!("slug of {} is taken by another record", record.id);
            return Err(refuse(visit, 422, &text, None));
        }
        records::put(act.db, &record)?;
    }
    let stream = Stream {
        id: stream_id(visit, batch),
        peer_id: visit.peer.id.clone(),
        resource_kind: batch.resource_kind.clone(),
        direction: Direction::Inbound,
        cursor: batch.cursor.to.clone(),
        updated_at: act.now,
    };
    table::put(act.db, &stream)?;
    Ok(records.len())
}

fn slug_is_taken(act: &Act<'_>, record: &Record) -> Result<bool, StoreError> {
    let Some(slug) = record.slug() else {
        return Ok(false);
    };
    Ok(records::with_slug(act.db, &record.kind, slug)?.is_some_and(|other| other.id != record.id))
}

fn stream_id(visit: &Visit<'_>, batch: &SyncBatch) -> String {
    format!("inbound/{}/{}", visit.peer.id, batch.resource_kind)
}

fn corrupt(message: &str, body: &Value) -> Suspicion {
    let payload = json!({"resource_kind": body["resource_kind"], "cursor": body["cursor"]});
    Suspicion::breach(finding::SYNC_CORRUPT, &[6], message, payload)
}

fn refuse(visit: &Visit<'_>, status: u16, text: &str, suspicion: Option<Suspicion>) -> Fault {
    let reported = suspicion.filter(visit.act.rules.sync.is_reported);
    Reply::failure(status, text).suspecting(reported).refused()
}

/// The same JSON with every character beyond ASCII as `\u` escapes.
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
