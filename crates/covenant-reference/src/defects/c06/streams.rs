//! Defects against 6.3: no corrupt sync streams.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::inbound::sync;
use crate::method_error::MethodError;
use crate::outbound::{self, CarriedBatch};
use crate::store::records::{self, Record};
use crate::store::rows::{Direction, Peer, Stream};
use crate::store::{StoreError, facts, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::canonical::{canonical_json, sha256_hex};
use covenant_model::wire::notice::finding;
use covenant_model::wire::sync::SyncBatch;

/// Defects in the batches that the platform sends.
pub(in crate::defects) const SENT: &[Patch] = &[
    Patch::defect(
        "alters-records-after-digest",
        &[("6.3", Conduct)],
        "Alters the last record of a batch after the digest is computed.",
        |policy| policy.outbound.override_batch = alter_last_record,
    ),
    Patch::defect(
        "alters-records-before-digest",
        &[("6.3", Conduct)],
        "Syncs names in upper case, under a digest that matches them.",
        |policy| policy.outbound.override_batch = uppercase_names,
    ),
    Patch::defect(
        "rewinds-sync-cursor-by-one-record",
        &[("6.3", Conduct)],
        "Starts a batch one record too early once the stream has five records.",
        |policy| policy.outbound.override_batch = rewind_cursor,
    )
    .hard_to_reach(),
    Patch::defect(
        "hashes-halves-of-characters",
        &[("6.3", Conduct)],
        "Computes the digest of a batch over units of UTF-16, so that a character beyond U+FFFF counts as two.",
        |policy| {
            policy.outbound.override_batch = |batch| {
                let canonical = canonical_json(&json!(batch.records));
                if canonical.chars().any(is_beyond_ffff) {
                    batch.sha256 = sha256_hex(in_halves(&canonical));
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-last-hundred-records-of-a-batch",
        &[("6.3", Conduct)],
        "Sends the last hundred records of a longer batch alone, under a cursor that covers all of them.",
        |policy| policy.outbound.override_batch = keep_last_hundred,
    )
    .hard_to_reach(),
    Patch::defect(
        "keeps-one-cursor-for-all-peers",
        &[("6.3", Conduct)],
        "Syncs each state of a record once, to the peer that is synced first after it.",
        |policy| {
            policy.outbound.carry_batch = |tx, peer, batch| {
                let sent = states_of_kind(tx, &batch.resource_kind)?;
                carry_unpassed(tx, peer, batch, "passed", sent)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "keeps-one-cursor-for-all-kinds",
        &[("6.3", Conduct)],
        "Counts the records of all kinds as sent to a peer when those of one kind are.",
        |policy| {
            policy.outbound.carry_batch = |tx, peer, batch| {
                let passed = states(&records::list(tx.db, None)?);
                carry_unpassed(tx, peer, batch, &format!("passed/{}", peer.id), passed)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "keeps-changes-in-memory",
        &[("6.3", Conduct)],
        "Keeps what it has to sync in memory: after a restart it syncs what is put there from then on.",
        |policy| {
            policy.peering.on_start =
                |tx| facts::set(tx.db, LOST, &json!(states(&records::list(tx.db, None)?)));
            policy.outbound.carry_batch =
                |tx, peer, batch| carry_unpassed(tx, peer, batch, LOST, Vec::new());
        },
    )
    .hard_to_reach(),
];

/// Defects in the check of received batches.
pub(in crate::defects) const RECEIVED: &[Patch] = &[
    Patch::defect(
        "accepts-any-batch-digest",
        &[("6.3", Detection), ("E.1", Detection)],
        "Does not compare a batch with its digest.",
        |policy| policy.sync.digest_matches = |_| true,
    ),
    Patch::defect(
        "accepts-any-digest-beyond-ascii",
        &[("6.3", Detection)],
        "Does not compare a batch with its digest if the batch has a character beyond ASCII.",
        |policy| {
            policy.sync.digest_matches =
                |body| !body["records"].to_string().is_ascii() || sync::digest_matches(body);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-any-digest-beyond-ffff",
        &[("6.3", Detection)],
        "Does not compare a batch with its digest if the batch has a character beyond U+FFFF.",
        |policy| {
            policy.sync.digest_matches =
                |body| body["records"].to_string().chars().any(is_beyond_ffff) || sync::digest_matches(body);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-any-digest-of-no-records",
        &[("6.3", Detection)],
        "Does not compare a batch with its digest if the batch has no record.",
        |policy| {
            policy.sync.digest_matches =
                |body| body["records"].as_array().is_some_and(Vec::is_empty) || sync::digest_matches(body);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-reordered-records",
        &[("6.3", Detection)],
        "Takes a digest of the sorted records of a batch for that of the batch, so any order is accepted.",
        |policy| policy.sync.digest_matches = digest_matches_in_any_order,
    ),
    Patch::defect(
        "accepts-any-sync-cursor",
        &[("6.3", Detection)],
        "Accepts a batch whatever its cursor.",
        |policy| {
            policy.sync.continues_stream = |_, _| true;
        },
    ),
    Patch::defect(
        "accepts-rewound-batches",
        &[("6.3", Detection)],
        "Rejects a gap in a stream, but accepts a batch that goes back in it.",
        |policy| policy.sync.continues_stream = continues_or_rewinds,
    ),
    Patch::defect(
        "forgets-cursors-at-a-restart",
        &[("6.3", Detection)],
        "Keeps the ends of the streams that it receives in memory: after a restart any batch joins.",
        |policy| policy.peering.on_start = forget_received,
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-duplicate-records",
        &[("6.3", Detection)],
        "Accepts a batch that contains a record twice.",
        |policy| policy.sync.has_repeats = |_| false,
    ),
    Patch::defect(
        "stores-synced-record-by-payload-id",
        &[("6.3", Detection)],
        "Stores a synced record under the id in its payload, whatever the record's own id is.",
        |policy| {
            policy.sync.ids_match = |_| true;
            policy.sync.choose_id =
                |record| record.payload.get("id").and_then(|id| id.as_str()).unwrap_or(&record.id);
        },
    ),
    Patch::defect(
        "omits-corrupt-stream-finding",
        &[("6.3", Detection), ("E.1", Detection), ("E.2", Detection)],
        "Refuses a corrupt stream, but reports no finding.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::SYNC_CORRUPT,
    ),
];

/// The name under which the states are kept that are not synced after a restart.
const LOST: &str = "lost at the restart";

/// Returns the digest of the present state of each of these records.
fn states(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| state(&record.kind, &record.body)).collect()
}

fn states_of_kind(tx: &Transaction<'_>, kind: &str) -> Result<Vec<String>, StoreError> {
    Ok(states(&records::list(tx.db, Some(kind))?))
}

fn state(kind: &str, body: &Map<String, Value>) -> String {
    sha256_hex(json!([kind, body]).to_string())
}

/// Returns the batch without the records whose state is listed under this name, and then lists these states there, too.
fn carry_unpassed(
    tx: &Transaction<'_>,
    peer: &Peer,
    batch: &SyncBatch,
    name: &str,
    passed: Vec<String>,
) -> Result<Option<CarriedBatch>, MethodError> {
    let known = facts::find(tx.db, name)?.unwrap_or_else(|| json!([]));
    let mut known: Vec<String> = serde_json::from_value(known).unwrap_or_default();
    let mut batch = batch.clone();
    batch.records.retain(|record| !known.contains(&state(&batch.resource_kind, &record.payload)));
    if batch.records.is_empty() {
        return Ok(None);
    }
    known.extend(passed);
    facts::set(tx.db, name, &json!(known))?;
    batch.sha256 = SyncBatch::digest(&batch.records);
    outbound::carry_batch(tx, peer, &batch)
}

fn forget_received(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let streams: Vec<Stream> = table::all(tx.db)?;
    let mut received = streams.iter().filter(|stream| stream.direction == Direction::Inbound);
    received.try_for_each(|stream| table::remove::<Stream>(tx.db, &stream.id).map(drop))
}

fn is_beyond_ffff(character: char) -> bool {
    character > '\u{ffff}'
}

/// Returns a text with a replacement character for each half of a character beyond U+FFFF.
fn in_halves(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn alter_last_record(batch: &mut SyncBatch) {
    if let Some(last) = batch.records.last_mut() {
        last.payload.insert("altered".to_owned(), json!(true));
    }
}

fn keep_last_hundred(batch: &mut SyncBatch) {
    let surplus = batch.records.len().saturating_sub(100);
    batch.records.drain(..surplus);
    batch.sha256 = SyncBatch::digest(&batch.records);
}

fn uppercase_names(batch: &mut SyncBatch) {
    for record in &mut batch.records {
        if let Some(Value::String(name)) = record.payload.get_mut("name") {
            *name = name.to_uppercase();
        }
    }
    batch.sha256 = SyncBatch::digest(&batch.records);
}

fn rewind_cursor(batch: &mut SyncBatch) {
    let from = batch.cursor.from.as_str().and_then(|text| text.parse::<u64>().ok());
    if let Some(from) = from.filter(|from| *from >= 5) {
        batch.cursor.from = json!((from - 1).to_string());
    }
}

/// Returns whether the digest matches in the order that was sent, or in either order of the ids. The sender hashes its own order, and
/// two records have only two orders.
fn digest_matches_in_any_order(body: &Value) -> bool {
    let mut sorted = body.clone();
    let mut in_order = |reversed: bool| {
        if let Some(records) = sorted["records"].as_array_mut() {
            records.sort_by_key(|record| record["id"].to_string());
            if reversed {
                records.reverse();
            }
        }
        sync::digest_matches(&sorted)
    };
    sync::digest_matches(body) || in_order(false) || in_order(true)
}

fn continues_or_rewinds(stream: Option<&Stream>, batch: &SyncBatch) -> bool {
    stream.is_none_or(|stream| position(&batch.cursor.from) <= position(&stream.cursor))
}

fn position(cursor: &Value) -> Option<u64> {
    cursor.as_str()?.parse().ok()
}
