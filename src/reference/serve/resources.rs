//! `GET /resources/:kind/:id`

use serde_json::json;

use super::grants::{self, Wish};
use super::{Fault, Reply, Visit};
use crate::reference::act::Act;
use crate::reference::capabilities;
use crate::reference::rules::rules;
use crate::reference::store::records::{self, Record};
use crate::reference::store::rows::{Capability, Grant};
use crate::reference::store::{StoreError, facts};
use crate::wire::grant::Scope;

rules! {
    /// Decisions about a record that is shown.
    Rules {
        /// Last word on a record before it is shown.
        amend_record: fn(Record) -> Option<Record> = Some,
        /// Last word on the refusal of an undeclared kind (6.4); given are kind and id.
        amend_refusal: fn(&Act<'_>, &str, &str, &mut Reply) -> Result<(), StoreError> = |_, _, _, _| Ok(()),
        /// The row of a kind that nobody declared (6.4): none.
        undeclared: fn(&str) -> Option<Capability> = |_| None,
    }
}

/// Answers with what is there, as far as it was declared.
pub(super) fn answer(visit: &Visit<'_>, kind: &str, id: &str) -> Result<Reply, Fault> {
    let row = capabilities::row(visit.act, &visit.peer.id, kind)?;
    let row = row.or_else(|| (visit.act.rules.resources.undeclared)(kind));
    let wish = Wish { kind, id, scope: Scope::Read, in_grace: false };
    let grant = grants::check(visit, &wish)
        .or_else(|fault| suspect_undeclared(visit, fault, kind, id, row.is_none()))?;
    let Some(row) = row.filter(|row| (visit.act.rules.capabilities.serves)(row)) else {
        let text = format!("Resource kind {kind:?} is not declared in federation_inventory.yaml");
        return Err(Reply::bare_failure(422, text).suspecting(visit.refused(kind)).refused());
    };
    let record = shown(visit, &row, id)?;
    let absent = record.is_none().then(|| {
        let target = format!("{kind}/{id}");
        visit.act.watch().absent(&visit.act.rules.watch, &visit.peer.id, &target, visit.act.now)
    });
    let mut data = json!({
        "kind": kind, "id": id, "exists": record.is_some(),
        "account_id": facts::find(visit.act.db, facts::ACCOUNT)?,
        "grant_id": grant.id, "fetched_at": visit.act.now.to_string(),
    });
    if let Some(record) = record {
        data["record"] = json!(record.body);
    }
    Ok(Reply::success(&data).suspecting(absent.flatten()))
}

/// The record, where it is there and passes the declared filter (3.3).
fn shown(visit: &Visit<'_>, row: &Capability, id: &str) -> Result<Option<Record>, StoreError> {
    let passes_filter = visit.act.rules.capabilities.passes_filter;
    let passes =
        |record: &Record| row.filter.as_ref().is_none_or(|filter| passes_filter(filter, &record.body));
    let record = records::find(visit.act.db, &row.resource_kind, id)?.filter(passes);
    Ok(record.and_then(visit.act.rules.resources.amend_record))
}

/// Whatever it was refused for: an undeclared kind is none of the peer's business (6.4).
fn suspect_undeclared(
    visit: &Visit<'_>,
    fault: Fault,
    kind: &str,
    id: &str,
    undeclared: bool,
) -> Result<Grant, Fault> {
    match fault {
        Fault::Refused(mut reply) if undeclared => {
            (visit.act.rules.resources.amend_refusal)(visit.act, kind, id, &mut reply)?;
            let walk = (reply.status == 401).then(|| visit.refused(kind)).flatten();
            Err(reply.suspecting(walk).refused())
        }
        other => Err(other),
    }
}
