//! The shape of every table except the records': an id, the peer it belongs to, and the row as JSON. A row
//! type is the schema. SQLite provides order, atomicity and durability.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A kind of row with a table of its own.
pub(crate) trait Row: Serialize + DeserializeOwned {
    /// The table's name.
    const TABLE: &'static str;

    /// Returns the row's id, which is unique in the table.
    fn id(&self) -> &str;

    /// Returns the peer that the row belongs to, if there is one.
    fn peer_id(&self) -> Option<&str> {
        None
    }
}

/// Creates a table if it is absent.
pub(super) fn create(db: &Connection, table: &str) -> Result<(), StoreError> {
    db.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {table} (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, peer_id TEXT, body TEXT NOT NULL
         ) STRICT;
         CREATE INDEX IF NOT EXISTS {table}_of_peer ON {table} (peer_id, seq);"
    ))?;
    Ok(())
}

/// Inserts a row, or replaces the one with its id.
pub(crate) fn put<R: Row>(db: &Connection, row: &R) -> Result<(), StoreError> {
    let body = serde_json::to_string(row).map_err(|source| StoreError::Row { table: R::TABLE, source })?;
    let sql = format!(
        "INSERT INTO {} (id, peer_id, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET peer_id = excluded.peer_id, body = excluded.body",
        R::TABLE
    );
    db.prepare_cached(&sql)?.execute(params![row.id(), row.peer_id(), body])?;
    Ok(())
}

/// Returns the row with this id.
pub(crate) fn find<R: Row>(db: &Connection, id: &str) -> Result<Option<R>, StoreError> {
    let sql = format!("SELECT body FROM {} WHERE id = ?1", R::TABLE);
    let body: Option<String> =
        db.prepare_cached(&sql)?.query_row(params![id], |row| row.get(0)).optional()?;
    body.map(|body| read::<R>(&body)).transpose()
}

/// Returns every row, oldest first.
pub(crate) fn all<R: Row>(db: &Connection) -> Result<Vec<R>, StoreError> {
    let sql = format!("SELECT body FROM {} ORDER BY seq", R::TABLE);
    let mut statement = db.prepare_cached(&sql)?;
    let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
    bodies.map(|body| read::<R>(&body?)).collect()
}

/// Returns every row of one peer, oldest first.
pub(crate) fn of_peer<R: Row>(db: &Connection, peer_id: &str) -> Result<Vec<R>, StoreError> {
    let sql = format!("SELECT body FROM {} WHERE peer_id = ?1 ORDER BY seq", R::TABLE);
    let mut statement = db.prepare_cached(&sql)?;
    let bodies = statement.query_map(params![peer_id], |row| row.get::<_, String>(0))?;
    bodies.map(|body| read::<R>(&body?)).collect()
}

/// Returns every row whose text has this part, oldest first. It is far quicker than to read all of them, and a row may
/// have the part in another member than the caller means.
pub(crate) fn with_text<R: Row>(db: &Connection, part: &str) -> Result<Vec<R>, StoreError> {
    let sql = format!("SELECT body FROM {} WHERE instr(body, ?1) > 0 ORDER BY seq", R::TABLE);
    let mut statement = db.prepare_cached(&sql)?;
    let bodies = statement.query_map(params![part], |row| row.get::<_, String>(0))?;
    bodies.map(|body| read::<R>(&body?)).collect()
}

/// Removes the row with this id. Returns whether there was one.
pub(crate) fn remove<R: Row>(db: &Connection, id: &str) -> Result<bool, StoreError> {
    let sql = format!("DELETE FROM {} WHERE id = ?1", R::TABLE);
    Ok(db.prepare_cached(&sql)?.execute(params![id])? > 0)
}

fn read<R: Row>(body: &str) -> Result<R, StoreError> {
    serde_json::from_str(body).map_err(|source| StoreError::Row { table: R::TABLE, source })
}
