//! Records that the user names, for a platform whose operator can store none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A record that the platform has already. Scenarios that store nothing at the platform read it in place of one that
/// they would store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRecord {
    /// The kind: `[a-z_]+`.
    pub kind: String,
    /// The id of the record.
    pub id: String,
    /// The members of the record that are known. Its id is added.
    #[serde(default)]
    pub record: Map<String, Value>,
}

impl NamedRecord {
    /// Returns the members, with the id.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        let mut members = self.record.clone();
        members.insert("id".to_owned(), Value::from(self.id.as_str()));
        members
    }
}
