//! The records themselves, with the constraints behind conflicts: an id is unique in its kind, and so is a
//! `slug`.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use super::StoreError;

/// One record of some kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) kind: String,
    pub(crate) id: String,
    /// The body as received, `id` included.
    pub(crate) body: Map<String, Value>,
    /// The peer that migrated or synced it here. `None` if it is this platform's own.
    pub(crate) source_peer_id: Option<String>,
}

impl Record {
    /// Creates a record of this platform's own. It adds `id` to the body.
    pub(crate) fn own(kind: &str, id: &str, mut body: Map<String, Value>) -> Self {
        body.insert("id".to_owned(), Value::String(id.to_owned()));
        Self { kind: kind.to_owned(), id: id.to_owned(), body, source_peer_id: None }
    }

    /// Returns the slug, which is unique in the kind.
    pub(crate) fn slug(&self) -> Option<&str> {
        self.body.get("slug").and_then(Value::as_str)
    }
}

pub(super) fn create(db: &Connection) -> Result<(), StoreError> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS records (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, slug TEXT,
            source_peer_id TEXT, body TEXT NOT NULL, UNIQUE (kind, id), UNIQUE (kind, slug)
         ) STRICT;",
    )?;
    Ok(())
}

/// Inserts a record. A taken id or slug is SQLite's constraint error.
pub(crate) fn insert(db: &Connection, record: &Record) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO records (kind, id, slug, source_peer_id, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![record.kind, record.id, record.slug(), record.source_peer_id, body(record)?])?;
    Ok(())
}

/// Inserts a record, or replaces the one with its id.
pub(crate) fn put(db: &Connection, record: &Record) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO records (kind, id, slug, source_peer_id, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (kind, id) DO UPDATE
         SET slug = excluded.slug, source_peer_id = excluded.source_peer_id, body = excluded.body",
    )?
    .execute(params![record.kind, record.id, record.slug(), record.source_peer_id, body(record)?])?;
    Ok(())
}

/// Returns the record with this id.
pub(crate) fn find(db: &Connection, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
    one(db, "SELECT kind, id, source_peer_id, body FROM records WHERE kind = ?1 AND id = ?2", kind, id)
}

/// Returns the record of this kind with this slug.
pub(crate) fn with_slug(db: &Connection, kind: &str, slug: &str) -> Result<Option<Record>, StoreError> {
    one(db, "SELECT kind, id, source_peer_id, body FROM records WHERE kind = ?1 AND slug = ?2", kind, slug)
}

/// Returns every record of a kind, or of all kinds, in the order of arrival.
pub(crate) fn list(db: &Connection, kind: Option<&str>) -> Result<Vec<Record>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, id, source_peer_id, body FROM records WHERE ?1 IS NULL OR kind = ?1 ORDER BY seq",
    )?;
    let rows = statement.query_map(params![kind], columns)?;
    rows.map(|row| read(row?)).collect()
}

/// Removes a record. Returns whether there was one.
pub(crate) fn remove(db: &Connection, kind: &str, id: &str) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?;
    Ok(statement.execute(params![kind, id])? > 0)
}

type Columns = (String, String, Option<String>, String);

fn one(db: &Connection, sql: &str, kind: &str, value: &str) -> Result<Option<Record>, StoreError> {
    db.prepare_cached(sql)?.query_row(params![kind, value], columns).optional()?.map(read).transpose()
}

fn columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn read((kind, id, source_peer_id, body): Columns) -> Result<Record, StoreError> {
    let body = serde_json::from_str(&body).map_err(|source| StoreError::Row { table: "records", source })?;
    Ok(Record { kind, id, body, source_peer_id })
}

fn body(record: &Record) -> Result<String, StoreError> {
    serde_json::to_string(&record.body).map_err(|source| StoreError::Row { table: "records", source })
}
