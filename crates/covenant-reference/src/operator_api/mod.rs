//! The operator plane: one file per group of methods, JSON in and JSON out.

mod capabilities;
mod contracts;
mod grants;
mod migrations;
mod outside;
mod peers;
mod records;
mod resources;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::platform::Platform;
use super::store::StoreError;
use super::transaction::Crash;

/// The error of a method, in JSON-RPC form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct MethodError {
    /// -32601 unknown method, -32602 invalid parameters, -32603 internal error, -32000 not running, -32004
    /// not found, -32009 wrong state, -32010 to -32014 faults of the peer.
    pub code: i64,
    /// Description for a person.
    pub message: String,
}

/// The result of a method.
pub(super) type Answer = Result<Value, MethodError>;

/// Calls a method.
pub(super) async fn call(
    platform: &Arc<Platform>,
    method: &str,
    parameters: Value,
) -> Result<Value, MethodError> {
    match method {
        "peer.propose" => peers::propose(platform, parameters),
        "peer.show" => peers::show(platform, parameters),
        "peer.list" => peers::list(platform),
        "peer.suspend" => peers::suspend(platform, parameters),
        "peer.resume" => peers::resume(platform, parameters),
        "peer.revoke" => peers::revoke(platform, parameters).await,
        "grant.issue" => grants::issue(platform, parameters),
        "grant.revoke" => grants::revoke(platform, parameters).await,
        "grant.list" => grants::list(platform, parameters),
        "capability.declare" => capabilities::declare(platform, parameters),
        "capability.list" => capabilities::list(platform, parameters),
        "resource.put" => resources::put(platform, parameters),
        "resource.get" => resources::get(platform, parameters),
        "resource.list" => resources::list(platform, parameters),
        "resource.delete" => resources::delete(platform, parameters),
        "migration.show" => migrations::show(platform, parameters),
        "migration.list" => migrations::list(platform, parameters),
        "migration.delete" => migrations::delete(platform, parameters),
        "audit.list" => records::audit(platform, parameters),
        "event.list" => records::events(platform, parameters),
        "governance.scan" => records::scan(platform).await,
        "overlay.list" => records::overlay(platform, parameters),
        "contract.list" => contracts::list(platform),
        "contract.release" => contracts::release(platform, parameters),
        "contract.deprecate" => contracts::deprecate(platform, parameters),
        _ => outside::call(platform, method, parameters).await,
    }
}

/// Completes announced revocations that a death of the process interrupted. It runs at each start, before any
/// call is served.
pub(super) fn finish_what_was_announced(platform: &Platform) -> Result<(), MethodError> {
    platform.transaction(|tx| {
        peers::leave_all_announced(tx)?;
        grants::end_all_announced(tx)
    })
}

/// Parses a method's parameters. Absent parameters are an empty object.
pub(super) fn parameters<T: DeserializeOwned>(value: Value) -> Result<T, MethodError> {
    let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
    serde_json::from_value(value).map_err(|error| MethodError::parameters(error.to_string()))
}

impl MethodError {
    /// Creates an error with a code and a text.
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Creates the error for an unknown method.
    pub(crate) fn unknown_method(method: &str) -> Self {
        Self::new(-32601, format!("no method {method}"))
    }

    /// Creates the error for invalid parameters.
    pub(crate) fn parameters(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    /// Creates the error for an unknown peer, grant or record.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(-32004, format!("no {what} {id}"))
    }

    /// Creates the error for a call in the wrong state.
    pub(crate) fn state(message: impl Into<String>) -> Self {
        Self::new(-32009, message)
    }
}

impl From<StoreError> for MethodError {
    fn from(error: StoreError) -> Self {
        Self::new(-32603, error.to_string())
    }
}

impl From<Crash> for MethodError {
    fn from(crash: Crash) -> Self {
        Self::new(-32000, crash.to_string())
    }
}
