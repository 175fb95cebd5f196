//! The operator plane as one table: each method's name, parameters, result, prompt, example and version.
//!
//! One file holds one group of methods. A method is a type of parameters, a type of result and a row in the
//! group's `methods!` table, all in that file. The doc comment of the parameters is the text that the
//! documents, the schema and `covenant explain` show. From [`METHODS`] come the dispatch of the reference
//! platform, the client and the server of adapters, `covenant adapter check`, the dialogue with a person, the
//! check of a scenario's steps, `schemas/adapter.schema.json` and `docs/adapter-protocol.md`.
//!
//! Parameters reject unknown members, because a misspelt one would have no effect. Results keep them. A member
//! of a result that is a `Value` under a `schemars(with)` is documented as one kind and read as any: the checks
//! evaluate a value of another kind.

mod error;
mod form;
mod kinds;
mod method;
mod schema;

pub mod audit;
pub mod capability;
pub mod contract;
pub mod governance;
pub mod grant;
pub mod migration;
pub mod network;
pub mod peer;
pub mod platform;
pub mod release;
pub mod resource;

pub use error::{
    ERROR_CODES, ErrorCode, INTERNAL, INVALID_PARAMS, METHOD_NOT_FOUND, NO_REQUEST, NOT_FOUND, NOT_RUNNING,
    OTHER_CONTRACT, PEER_ANSWERED_WRONG, WRONG_STATE, is_refusal_of_the_state,
};
pub use form::{Form, Kind, Member};
pub use kinds::{KindError, KindMember, Kinds, MemberRole, ResourceKind};
pub use method::{Example, METHODS, Method, MethodDef, OperatorMethod};
pub use schema::schema;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The version of the protocol that this suite speaks. `describe` reports the adapter's.
pub const PROTOCOL: u64 = 1;

/// A method that exists in no version of the protocol. An adapter that answers it with anything but the error
/// -32601 proves nothing.
pub const NONEXISTENT_METHOD: &str = "covenant.square_the_circle";

/// Members of a result that its type does not know, kept so that no data is lost.
pub type Extra = BTreeMap<String, Value>;

/// The result of a method that returns nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A list, either under its name in an object or without the object.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Listed<T> {
    /// The object that holds the list.
    Named(T),
    /// The list without the object.
    Alone(Vec<Value>),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Array(rows) => Ok(Self::Alone(rows)),
            // The error of the object itself names the member that is wrong.
            other => T::deserialize(other).map(Self::Named).map_err(D::Error::custom),
        }
    }
}

/// Returns a value without the members that are null. An optional member that is absent may also be null (`adapter-protocol.md`,
/// "Values").
#[must_use]
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, member)| !member.is_null());
            present.map(|(name, member)| (name, without_nulls(member))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
