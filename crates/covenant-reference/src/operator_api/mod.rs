//! The operator plane: one file per group of methods, JSON in and JSON out.

mod audits;
mod capabilities;
mod contracts;
mod findings;
mod grants;
mod migrations;
mod networks;
mod peers;
mod releases;
mod resources;

use std::sync::Arc;

use serde_json::Value;

use super::method_error::MethodError;
use super::platform::Platform;
use covenant_model::operator::{Method, OperatorMethod};

/// The name of the only operator.
pub(super) const OPERATOR: &str = "17";

/// The result of a method.
pub(super) type Answer = Result<Value, MethodError>;

/// Calls a method. Each group has a file with one function for each of its methods.
pub(super) async fn call(platform: &Arc<Platform>, method: Method, parameters: Value) -> Answer {
    match method {
        Method::Peer(method) => peers::call(platform, method, parameters).await,
        Method::Grant(method) => grants::call(platform, method, parameters).await,
        Method::Capability(method) => capabilities::call(platform, method, parameters),
        Method::Resource(method) => resources::call(platform, method, parameters).await,
        Method::Migration(method) => migrations::call(platform, method, parameters).await,
        Method::Audit(method) => audits::call(platform, method, parameters).await,
        Method::Governance(method) => findings::call(platform, method, parameters).await,
        Method::Release(method) => releases::call(platform, method, parameters).await,
        Method::Contract(method) => contracts::call(platform, method, parameters),
        Method::Network(method) => networks::call(platform, method, parameters).await,
        // A platform cannot start or kill itself: its process answers these.
        Method::Platform(_) => Err(MethodError::unsupported(method)),
    }
}

/// Completes announced revocations that a crash interrupted. It runs at each start, before any call is served.
pub(super) fn complete_announced_revocations(platform: &Platform) -> Result<(), MethodError> {
    platform.transaction(|tx| {
        peers::complete_announced_revocations(tx)?;
        grants::complete_announced_revocations(tx)
    })
}

/// Parses a method's parameters. Absent parameters are an empty object.
fn parameters<T: OperatorMethod>(value: Value) -> Result<T, MethodError> {
    let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
    serde_json::from_value(value).map_err(|error| MethodError::parameters(error.to_string()))
}
