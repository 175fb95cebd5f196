//! `GET /resources/:kind/:id`

use serde_json::json;

use super::grants::{self, AccessRequest};
use super::{InboundCall, InboundError, Reply};
use crate::capabilities;
use crate::policy::policy;
use crate::store::records::{self, Record};
use crate::store::rows::{Capability, Grant, Peer};
use crate::store::{StoreError, facts};
use crate::transaction::Transaction;
use covenant_model::wire::grant::Scope;

/// Policy hook on a record that is shown to a peer.
type OverrideRecord = fn(&Transaction<'_>, &Peer, Record) -> Result<Option<Record>, StoreError>;

policy! {
    /// The policy for records that are shown.
    Policy {
        /// Policy hook on a record before it is shown. `None` hides it.
        override_record: OverrideRecord = |_, _, record| Ok(Some(record)),
        /// Policy hook on the refusal of an undeclared kind (6.4), by kind and id.
        override_refusal: fn(&Transaction<'_>, &str, &str, &mut Reply) -> Result<(), StoreError> = |_, _, _, _| Ok(()),
        /// Returns a row for an undeclared kind (6.4). The default returns `None`.
        assume_declaration: fn(&str) -> Option<Capability> = |_| None,
    }
}

/// Answers with the record, as far as its kind is declared.
pub(super) fn answer(inbound: &InboundCall<'_>, kind: &str, id: &str) -> Result<Reply, InboundError> {
    let row = capabilities::row(inbound.tx, &inbound.peer.id, kind)?;
    let row = row.or_else(|| (inbound.tx.policy.resources.assume_declaration)(kind));
    let request = AccessRequest { kind, id, scope: Scope::Read, in_grace: false };
    let grant = grants::check(inbound, &request)
        .or_else(|fault| suspect_undeclared(inbound, fault, kind, id, row.is_none()))?;
    let Some(row) = row.filter(|row| (inbound.tx.policy.capabilities.serves)(row)) else {
        let text = format!("Resource kind {kind:?} is not declared in federation_inventory.yaml");
        return Err(Reply::bare_failure(422, text).suspecting(inbound.refused(kind)).refused());
    };
    let record = shown(inbound, &row, id)?;
    let absent = record.is_none().then(|| {
        let target = format!("{kind}/{id}");
        inbound.tx.counters().absent(&inbound.tx.policy.counters, &inbound.peer.id, &target, inbound.tx.now)
    });
    let mut data = json!({
        "kind": kind, "id": id, "exists": record.is_some(),
        "account_id": facts::find(inbound.tx.db, facts::ACCOUNT)?,
        "grant_id": grant.id, "fetched_at": inbound.tx.now.to_string(),
    });
    if let Some(record) = record {
        data["record"] = json!(record.body);
    }
    Ok(Reply::success(&data).suspecting(absent.flatten()))
}

/// Returns the record if it exists and passes the declared filter (3.3).
fn shown(inbound: &InboundCall<'_>, row: &Capability, id: &str) -> Result<Option<Record>, StoreError> {
    let passes_filter = inbound.tx.policy.capabilities.passes_filter;
    let passes =
        |record: &Record| row.filter.as_ref().is_none_or(|filter| passes_filter(filter, &record.body));
    let record = records::find(inbound.tx.db, &row.resource_kind, id)?.filter(passes);
    let override_record = inbound.tx.policy.resources.override_record;
    record.map_or(Ok(None), |record| override_record(inbound.tx, &inbound.peer, record))
}

/// Notes access to an undeclared kind, whatever the reason of the refusal (6.4).
fn suspect_undeclared(
    inbound: &InboundCall<'_>,
    fault: InboundError,
    kind: &str,
    id: &str,
    undeclared: bool,
) -> Result<Grant, InboundError> {
    match fault {
        InboundError::Refused(mut reply) if undeclared => {
            (inbound.tx.policy.resources.override_refusal)(inbound.tx, kind, id, &mut reply)?;
            let enumeration = (reply.status == 401).then(|| inbound.refused(kind)).flatten();
            Err(reply.suspecting(enumeration).refused())
        }
        other => Err(other),
    }
}
