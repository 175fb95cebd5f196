//! Single facts of the platform by name: its authority, its secrets, its port, its present release.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Row, StoreError, table};

/// The authority's certificate and key.
pub(crate) const AUTHORITY: &str = "authority";
/// Key of the grant tokens' signatures, hex.
pub(crate) const TOKEN_SECRET: &str = "token_secret";
/// How often the platform was started on this store.
pub(crate) const STARTS: &str = "starts";
/// The port it listened on.
pub(crate) const PORT: &str = "port";
/// The account that records belong to here.
pub(crate) const ACCOUNT: &str = "account";
/// The release it runs, where the operator changed it.
pub(crate) const RELEASE: &str = "release";
/// The release it ran before a change of the major version.
pub(crate) const PREVIOUS_RELEASE: &str = "previous_release";
/// Where it keeps data, where the operator changed it.
pub(crate) const RESIDENCY: &str = "residency";
/// Its releases that are on their way out: a list of `version`, `breaks_at`, `notice_url`.
pub(crate) const DEPRECATIONS: &str = "deprecations";

#[derive(Serialize, Deserialize)]
struct Fact {
    id: String,
    value: Value,
}

impl Row for Fact {
    const TABLE: &'static str = "facts";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The fact of this name.
pub(crate) fn find(db: &Connection, name: &str) -> Result<Option<Value>, StoreError> {
    Ok(table::find::<Fact>(db, name)?.map(|fact| fact.value))
}

/// The fact of this name, where it is a text.
pub(crate) fn text(db: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    Ok(find(db, name)?.and_then(|value| value.as_str().map(ToOwned::to_owned)))
}

/// Keeps a fact, in place of the one of that name.
pub(crate) fn set(db: &Connection, name: &str, value: &Value) -> Result<(), StoreError> {
    table::put(db, &Fact { id: name.to_owned(), value: value.clone() })
}
