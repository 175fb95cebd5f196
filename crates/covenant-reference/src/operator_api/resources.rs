//! `resource.put`, `resource.get`, `resource.list`, `resource.delete`: the operator's own records.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, MethodError, parameters};
use crate::platform::Platform;
use crate::store::records::{self, Record};
use covenant_model::wire::path;

#[derive(Deserialize)]
struct Put {
    kind: String,
    id: String,
    #[serde(default)]
    record: Map<String, Value>,
}

#[derive(Deserialize)]
struct Named {
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct List {
    kind: Option<String>,
}

/// `resource.put`
pub(super) fn put(platform: &Platform, given: Value) -> Answer {
    let given: Put = parameters(given)?;
    if !path::is_kind(&given.kind) || !path::is_id(&given.id) {
        return Err(MethodError::parameters("kind or id names no resource"));
    }
    platform.transaction(|tx| {
        let record = Record::own(&given.kind, &given.id, given.record);
        let holder = match record.slug() {
            Some(slug) => records::with_slug(tx.db, &record.kind, slug)?,
            None => None,
        };
        if let Some(holder) = holder.filter(|holder| holder.id != record.id) {
            return Err(MethodError::state(format!("{} has this slug", holder.id)));
        }
        records::put(tx.db, &record)?;
        Ok(json!({}))
    })
}

/// `resource.get`
pub(super) fn get(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.transaction(|tx| {
        let found = records::find(tx.db, &given.kind, &given.id)?;
        Ok(json!({
            "kind": given.kind, "id": given.id, "exists": found.is_some(),
            "record": found.map(|record| record.body),
        }))
    })
}

/// `resource.list`
pub(super) fn list(platform: &Platform, given: Value) -> Answer {
    let given: List = parameters(given)?;
    platform.transaction(|tx| {
        let found = records::list(tx.db, given.kind.as_deref())?;
        let shown: Vec<Value> = found.iter().map(shown).collect();
        Ok(json!({ "resources": shown }))
    })
}

/// `resource.delete`
pub(super) fn delete(platform: &Platform, given: Value) -> Answer {
    let given: Named = parameters(given)?;
    platform.transaction(|tx| {
        if records::remove(tx.db, &given.kind, &given.id)? {
            return Ok(json!({}));
        }
        Err(MethodError::not_found(&given.kind, &given.id))
    })
}

fn shown(record: &Record) -> Value {
    json!({
        "kind": record.kind, "id": record.id, "record": record.body, "source_peer_id": record.source_peer_id,
    })
}
