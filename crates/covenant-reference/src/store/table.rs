//! The shape of every table except the records': an id, the peer it belongs to, and the row as JSON. A row
//! type is the schema. SQLite provides order, atomicity and durability.

use std::collections::BTreeSet;

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

/// Makes a member of the rows quick to find by [`with_member`].
pub(super) fn index<R: Row>(db: &Connection, member: &str) -> Result<(), StoreError> {
    let table = R::TABLE;
    db.execute_batch(&format!(
        "CREATE INDEX IF NOT EXISTS {table}_by_{member} ON {table} (json_extract(body, '$.{member}'))"
    ))?;
    Ok(())
}

/// Returns every row with this text as a member, oldest first.
pub(crate) fn with_member<R: Row>(db: &Connection, member: &str, text: &str) -> Result<Vec<R>, StoreError> {
    let table = R::TABLE;
    let sql = format!("SELECT body FROM {table} WHERE json_extract(body, '$.{member}') = ?1 ORDER BY seq");
    let mut statement = db.prepare_cached(&sql)?;
    let bodies = statement.query_map(params![text], |row| row.get::<_, String>(0))?;
    bodies.map(|body| read::<R>(&body?)).collect()
}

/// Returns the ids of the peers that have a row.
pub(crate) fn owners<R: Row>(db: &Connection) -> Result<BTreeSet<String>, StoreError> {
    let sql = format!("SELECT DISTINCT peer_id FROM {} WHERE peer_id IS NOT NULL", R::TABLE);
    let mut statement = db.prepare_cached(&sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    ids.map(|id| Ok(id?)).collect()
}

/// Removes the row with this id. Returns whether there was one.
pub(crate) fn remove<R: Row>(db: &Connection, id: &str) -> Result<bool, StoreError> {
    let sql = format!("DELETE FROM {} WHERE id = ?1", R::TABLE);
    Ok(db.prepare_cached(&sql)?.execute(params![id])? > 0)
}

fn read<R: Row>(body: &str) -> Result<R, StoreError> {
    serde_json::from_str(body).map_err(|source| StoreError::Row { table: R::TABLE, source })
}
