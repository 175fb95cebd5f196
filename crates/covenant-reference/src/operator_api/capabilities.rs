//! `capability.*`

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::platform::Platform;
use crate::store::rows::Capability;
use crate::store::table;
use covenant_model::operator::capability::{CapabilityMethod, Declare, List};
use covenant_model::wire::path;

const DIRECTIONS: [&str; 4] =
    ["push_local_to_remote", "pull_remote_to_local", "bidirectional", "migration_only"];
const POLICIES: [&str; 4] = ["manual", "auto_on_change", "auto_periodic", "on_match_filter"];

/// Calls a method of the group.
pub(super) fn call(platform: &Platform, method: CapabilityMethod, given: Value) -> Answer {
    match method {
        CapabilityMethod::Declare => declare(platform, parameters(given)?),
        CapabilityMethod::List => list(platform, &parameters(given)?),
    }
}

/// `capability.declare`: declares a kind to one peer or to all. It replaces the earlier declaration of that
/// kind.
fn declare(platform: &Platform, given: Declare) -> Answer {
    if !path::is_kind(&given.resource_kind) {
        return Err(MethodError::parameters(format!("{:?} is no resource kind", given.resource_kind)));
    }
    if !DIRECTIONS.contains(&given.direction.as_str()) || !POLICIES.contains(&given.policy.as_str()) {
        return Err(MethodError::parameters("no such direction or policy"));
    }
    platform.transaction(|tx| {
        let kinds = (tx.policy.capabilities.kinds)();
        let mut rows = kinds.as_array().into_iter().flatten();
        if !kinds.is_null() && !rows.any(|row| row["kind"] == *given.resource_kind) {
            return Err(MethodError::parameters(format!(
                "{:?} is not in the inventory",
                given.resource_kind
            )));
        }
        let scope = given.peer_id.as_deref().unwrap_or("all");
        let row = Capability {
            id: format!("{scope}/{}", given.resource_kind),
            peer_id: given.peer_id,
            resource_kind: given.resource_kind,
            schema_version: given.schema_version,
            direction: given.direction,
            policy: given.policy,
            filter: given.filter,
            conflict_resolution: given.conflict_resolution,
            dependencies: given.dependencies,
            migratable: None,
        };
        if let Some(replaced) = table::find::<Capability>(tx.db, &row.id)? {
            (tx.policy.capabilities.on_replacement)(tx, &replaced)?;
        }
        table::put(tx.db, &row)?;
        Ok(json!({"capability_id": row.id}))
    })
}

/// `capability.list`
fn list(platform: &Platform, given: &List) -> Answer {
    platform.transaction(|tx| {
        let mut rows: Vec<Capability> = table::all(tx.db)?;
        rows.extend((tx.policy.capabilities.own_rows)());
        if let Some(peer_id) = &given.peer_id {
            rows.retain(|row| row.peer_id.as_ref().is_none_or(|of| of == peer_id));
        }
        Ok(json!({ "capabilities": rows }))
    })
}
