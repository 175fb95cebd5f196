//! Single facts of the platform by name: its authority, its secrets, its port, its current release.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{StoreError, table};

/// The authority's certificate and key.
pub(crate) const AUTHORITY: &str = "authority";
/// Key of the grant tokens' signatures, in hex.
pub(crate) const TOKEN_SECRET: &str = "token_secret";
/// Number of starts of the platform on this store.
pub(crate) const STARTS: &str = "starts";
/// The port on which it listened.
pub(crate) const PORT: &str = "port";
/// The account that records belong to on this platform.
pub(crate) const ACCOUNT: &str = "account";
/// The release that it runs, if the operator changed it.
pub(crate) const RELEASE: &str = "release";
/// The release that it ran before a change of the major version.
pub(crate) const PREVIOUS_RELEASE: &str = "previous_release";
/// The place where it keeps data, if the operator changed it.
pub(crate) const RESIDENCY: &str = "residency";
/// Its deprecated releases: a list of `version`, `breaks_at`, `notice_url`.
pub(crate) const DEPRECATIONS: &str = "deprecations";

/// One fact. Its id is its name.
#[derive(Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) id: String,
    value: Value,
}

/// Returns the fact of this name.
pub(crate) fn find(db: &Connection, name: &str) -> Result<Option<Value>, StoreError> {
    Ok(table::find::<Fact>(db, name)?.map(|fact| fact.value))
}

/// Returns the fact of this name if it is a string.
pub(crate) fn text(db: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    Ok(find(db, name)?.and_then(|value| value.as_str().map(ToOwned::to_owned)))
}

/// Stores a fact. It replaces the earlier fact of that name.
pub(crate) fn set(db: &Connection, name: &str, value: &Value) -> Result<(), StoreError> {
    table::put(db, &Fact { id: name.to_owned(), value: value.clone() })
}
