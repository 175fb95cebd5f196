//! The content of a migration: a record and its dependencies, as steps.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use crate::method_error::MethodError;
use crate::store::records::{self, Record};
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use covenant_model::operator::migration::SendMigration;
use covenant_model::wire::migration::{MigrationRequest, Step, action, operation, policy};

/// Maximum number of records in one migration.
const RECORDS_MAX: usize = 1000;

/// Returns the plan for a record and its dependencies, dependencies first.
pub(super) fn plan(
    tx: &Transaction<'_>,
    peer: &Peer,
    order: &SendMigration,
) -> Result<MigrationRequest, MethodError> {
    if ![operation::MIGRATE, operation::DUPLICATE].contains(&order.operation.as_str()) {
        return Err(MethodError::parameters(format!(
            "operation must be migrate or duplicate, not {}",
            order.operation
        )));
    }
    let found = gather(tx, &order.root_resource_kind, &order.root_resource_id)?;
    let duplicates = order.operation == operation::DUPLICATE;
    let fresh: BTreeMap<String, String> = if duplicates {
        found.iter().map(|record| (record.id.clone(), tx.new_id())).collect()
    } else {
        BTreeMap::new()
    };
    let id_of = |id: &str| fresh.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let steps = (1..).zip(found.iter().rev()).map(|(step_order, record)| {
        let mut payload = record.body.clone();
        if duplicates {
            replace_ids(&mut payload, &fresh);
            name_the_source(&mut payload, &record.id);
        }
        Step {
            step_order,
            resource_kind: record.kind.clone(),
            resource_id: id_of(&record.id),
            action: action::CREATE.to_owned(),
            conflict_policy: Some(if duplicates { policy::FAIL } else { policy::SKIP_IF_EXISTS }.to_owned()),
            payload,
            metadata: schema_of(peer, &record.kind),
            extra: BTreeMap::new(),
        }
    });
    Ok(MigrationRequest {
        operation: order.operation.clone(),
        root_resource_kind: order.root_resource_kind.clone(),
        root_resource_id: id_of(&order.root_resource_id),
        plan_summary: Map::new(),
        steps: steps.collect(),
        commit: order.commit,
        extra: BTreeMap::new(),
    })
}

/// Returns the root, then its dependencies, breadth first.
fn gather(tx: &Transaction<'_>, kind: &str, id: &str) -> Result<Vec<Record>, MethodError> {
    let root = records::find(tx.db, kind, id)?.ok_or_else(|| MethodError::not_found(kind, id))?;
    let mut found = vec![];
    let mut next = VecDeque::from([root]);
    while let Some(record) = next.pop_front() {
        if found.len() >= RECORDS_MAX {
            return Err(MethodError::state(format!("more than {RECORDS_MAX} records depend on each other")));
        }
        for (kind, id) in (tx.policy.outbound.dependencies)(&record) {
            let known = |seen: &Record| seen.kind == kind && seen.id == id;
            if found.iter().chain(&next).any(known) || known(&record) {
                continue;
            }
            next.extend(records::find(tx.db, &kind, &id)?);
        }
        found.push(record);
    }
    Ok(found)
}

/// Returns the kinds and ids of the records that a record lists under `depends_on`.
pub(crate) fn dependencies(record: &Record) -> Vec<(String, String)> {
    let listed = record.body.get("depends_on").and_then(Value::as_array).into_iter().flatten();
    let place = |other: &Value| Some((other["kind"].as_str()?.to_owned(), other["id"].as_str()?.to_owned()));
    listed.filter_map(place).collect()
}

/// Returns the peer's own schema version of a kind, which is the one that it declares to accept.
fn schema_of(peer: &Peer, kind: &str) -> Map<String, Value> {
    let rows = peer.capabilities["resource_kinds"].as_array();
    let row = rows.into_iter().flatten().find(|row| row["kind"] == kind);
    let version = row.map(|row| row["schema_version"].clone()).filter(|version| !version.is_null());
    version.map(|version| ("schema_version".to_owned(), version)).into_iter().collect()
}

/// Adds `metadata.duplicated_from`, and keeps the other metadata.
fn name_the_source(payload: &mut Map<String, Value>, id: &str) {
    let metadata = payload.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata["duplicated_from"] = json!(id);
}

fn replace_ids(members: &mut Map<String, Value>, fresh: &BTreeMap<String, String>) {
    for member in members.values_mut() {
        match member {
            Value::String(text) => {
                if let Some(id) = fresh.get(text.as_str()) {
                    text.clone_from(id);
                }
            }
            Value::Object(inner) => replace_ids(inner, fresh),
            Value::Array(items) => {
                for item in items {
                    let mut wrapped = Map::from_iter([("item".to_owned(), item.take())]);
                    replace_ids(&mut wrapped, fresh);
                    *item = wrapped.remove("item").unwrap_or(Value::Null);
                }
            }
            _ => {}
        }
    }
}
