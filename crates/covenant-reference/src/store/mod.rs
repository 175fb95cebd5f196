//! The platform's state in SQLite: one table per kind of row, all of one shape ([`table`]), and the records
//! themselves with real constraints ([`records`]).

pub(crate) mod facts;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod table;

use std::path::Path;

use rusqlite::Connection;

/// A failure of the store: a full disk, a file that is no database, a row of another version, a dead platform.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The platform is dead, so its store is closed: it was killed, or it crashed inside a transaction.
    #[error("the platform is dead")]
    Closed,
    /// An error of SQLite.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// A row that cannot be parsed.
    #[error("a row of {table} cannot be parsed")]
    Row {
        /// The name of the table.
        table: &'static str,
        /// The parse error.
        source: serde_json::Error,
    },
}

/// Opens a store in memory.
pub(crate) fn open_in_memory() -> Result<Connection, StoreError> {
    prepared(Connection::open_in_memory()?)
}

/// Opens the store in a file, and creates the file if it is absent. Committed data survives any death. The file holds
/// keys, so only its owner may read it, and the files that SQLite keeps beside it.
pub(crate) fn open_file(path: &Path) -> Result<Connection, StoreError> {
    // If it can't be created, SQLite says why.
    let _ = covenant_model::private::keep(path);
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
    prepared(db)
}

fn prepared(db: Connection) -> Result<Connection, StoreError> {
    db.set_prepared_statement_cache_capacity(128);
    let transaction = db.unchecked_transaction()?;
    for name in rows::TABLES {
        table::create(&transaction, name)?;
    }
    // Each handshake looks for the peer of its token.
    table::index::<rows::Peer>(&transaction, rows::Peer::TOKEN)?;
    records::create(&transaction)?;
    transaction.commit()?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[cfg(unix)]
    #[test]
    fn a_file_and_what_is_beside_it_are_read_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let db = open_file(&folder.path().join("platform.sqlite")).expect("a store");
        facts::set(&db, "a", &json!(1)).expect("set");
        let files: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().collect();
        assert!(files.len() > 1, "{files:?}");
        for file in files {
            let mode = file.metadata().expect("it exists").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.path());
        }
    }

    #[test]
    fn a_file_keeps_committed_facts_and_no_others() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("platform.db");
        {
            let db = open_file(&path).expect("opens");
            facts::set(&db, "kept", &json!(1)).expect("writes");
            let transaction = db.unchecked_transaction().expect("begins");
            facts::set(&transaction, "lost", &json!(1)).expect("writes");
        }
        let db = open_file(&path).expect("opens again");
        assert_eq!(facts::find(&db, "kept").expect("reads"), Some(json!(1)));
        assert_eq!(facts::find(&db, "lost").expect("reads"), None);
    }
}
