//! `resource.*` and `sync.run`: the operator's own records, and those of the peers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters, peers};
use crate::outbound;
use crate::platform::Platform;
use crate::store::records::{self, Record};
use crate::store::rows::HeldGrant;
use crate::store::table;
use covenant_model::operator::resource::{Delete, Fetch, Get, List, Put, ResourceMethod, RunSync};
use covenant_model::wire::path::{self, Route};

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: ResourceMethod, given: Value) -> Answer {
    match method {
        ResourceMethod::Put => put(platform, parameters(given)?),
        ResourceMethod::Get => get(platform, &parameters(given)?),
        ResourceMethod::List => list(platform, &parameters(given)?),
        ResourceMethod::Delete => delete(platform, &parameters(given)?),
        ResourceMethod::Fetch => fetch(platform, parameters(given)?).await,
        ResourceMethod::RunSync => sync(platform, &parameters(given)?).await,
    }
}

/// `resource.put`
fn put(platform: &Platform, given: Put) -> Answer {
    if !path::is_kind(&given.kind) || !path::is_id(&given.id) {
        return Err(MethodError::parameters("kind or id names no resource"));
    }
    platform.transaction(|tx| {
        let mut record = Record::own(&given.kind, &given.id, given.record);
        (tx.policy.capabilities.override_record)(&mut record);
        if let Some(text) = (tx.policy.capabilities.refusal)(tx, &record, false)? {
            return Err(MethodError::parameters(text));
        }
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
fn get(platform: &Platform, given: &Get) -> Answer {
    platform.transaction(|tx| {
        let found = records::find(tx.db, &given.kind, &given.id)?;
        Ok(json!({
            "kind": given.kind, "id": given.id, "exists": found.is_some(),
            "record": found.map(|record| record.body),
        }))
    })
}

/// `resource.list`
fn list(platform: &Platform, given: &List) -> Answer {
    platform.transaction(|tx| {
        let found = records::list(tx.db, Some(&given.kind))?;
        let shown: Vec<Value> = found.iter().map(shown).collect();
        Ok(json!({ "resources": shown }))
    })
}

/// `resource.delete`
fn delete(platform: &Platform, given: &Delete) -> Answer {
    platform.transaction(|tx| {
        if records::remove(tx.db, &given.kind, &given.id)? {
            return Ok(json!({}));
        }
        Err(MethodError::not_found(&given.kind, &given.id))
    })
}

/// `resource.fetch`: reads a record with a held grant. A grant that is refused before its end is a broken
/// grant.
async fn fetch(platform: &Arc<Platform>, given: Fetch) -> Answer {
    if !path::is_kind(&given.kind) || !path::is_id(&given.id) {
        return Err(MethodError::parameters("kind or id is not valid in a path"));
    }
    let (peer, held) = platform.transaction::<_, MethodError>(|tx| {
        let peer = peers::find(tx, &given.peer_id)?;
        outbound::require_called_release(tx, &peer)?;
        let held: Vec<HeldGrant> = table::of_peer(tx.db, &peer.id)?;
        let fits = |grant: &HeldGrant| {
            let this_one = grant.resource_id.as_ref().is_none_or(|id| *id == given.id);
            grant.resource_kind == given.kind && this_one
        };
        Ok((peer, held.into_iter().rev().find(fits)))
    })?;
    let token = held.as_ref().map(|grant| grant.bearer_token.as_str());
    let route = Route::Resource { kind: given.kind.clone(), id: given.id };
    let called = outbound::call(platform, &peer, &route, None, token).await?;
    platform.transaction::<_, MethodError>(|tx| {
        if let Some(grant) = &held {
            outbound::check_grant(tx, grant, "read", &called)?;
        }
        Ok(outbound::check_kind(tx, &peer, &given.kind, &called)?)
    })?;
    Ok(json!({"status": called.status, "body": called.body, "data": called.data()}))
}

/// `sync.run`
async fn sync(platform: &Arc<Platform>, given: &RunSync) -> Answer {
    outbound::run_sync(platform, &given.peer_id).await
}

fn shown(record: &Record) -> Value {
    json!({
        "kind": record.kind, "id": record.id, "record": record.body, "source_peer_id": record.source_peer_id,
    })
}
