//! The operator plane: one file a group of verbs, JSON in and JSON out.

mod outside;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::act::Crash;
use super::platform::Platform;
use super::store::StoreError;

/// Why a verb was not done, as JSON-RPC says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct OperatorError {
    /// -32601 unknown verb, -32602 parameters, -32603 a fault, -32000 not running, -32004 no such
    /// thing, -32009 not in this state, -32010 to -32014 the peer's side.
    pub code: i64,
    /// For a person.
    pub message: String,
}

/// Does a verb.
pub(super) async fn perform(
    platform: &Arc<Platform>,
    verb: &str,
    parameters: Value,
) -> Result<Value, OperatorError> {
    outside::perform(platform, verb, parameters).await
}

/// Reads a verb's parameters; absent ones are an empty object.
pub(super) fn parameters<T: DeserializeOwned>(value: Value) -> Result<T, OperatorError> {
    let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
    serde_json::from_value(value).map_err(|error| OperatorError::parameters(error.to_string()))
}

impl OperatorError {
    /// An error with a code and a text.
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// No such verb.
    pub(crate) fn unknown_verb(verb: &str) -> Self {
        Self::new(-32601, format!("no verb {verb}"))
    }

    /// The parameters ask for what cannot be.
    pub(crate) fn parameters(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    /// There is no such peer, grant, record.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(-32004, format!("no {what} {id}"))
    }

    /// Not in the state it is in.
    pub(crate) fn state(message: impl Into<String>) -> Self {
        Self::new(-32009, message)
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::new(-32603, error.to_string())
    }
}

impl From<Crash> for OperatorError {
    fn from(crash: Crash) -> Self {
        Self::new(-32000, crash.to_string())
    }
}
