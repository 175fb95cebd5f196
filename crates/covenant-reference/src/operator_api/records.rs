//! The operator's read methods: `audit.list`, `event.list`, `governance.scan`, `overlay.list`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::governance;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{AuditEntry, Finding, OperatorEvent, OverlayAddress};
use crate::store::table;
use crate::transaction::Transaction;

#[derive(Deserialize)]
struct OfPeer {
    peer_id: Option<String>,
}

#[derive(Deserialize)]
struct Since {
    since: Option<Timestamp>,
}

/// `audit.list`
pub(super) fn audit(platform: &Platform, given: Value) -> Answer {
    let given: OfPeer = parameters(given)?;
    platform.transaction(|tx| {
        let entries: Vec<AuditEntry> = match &given.peer_id {
            Some(peer_id) => table::of_peer(tx.db, peer_id)?,
            None => table::all(tx.db)?,
        };
        Ok(json!({ "entries": entries }))
    })
}

/// `event.list`
pub(super) fn events(platform: &Platform, given: Value) -> Answer {
    let given: Since = parameters(given)?;
    platform.transaction(|tx| {
        let mut events: Vec<OperatorEvent> = table::all(tx.db)?;
        events.retain(|event| given.since.is_none_or(|since| event.emitted_at >= since));
        Ok(json!({ "events": events }))
    })
}

/// `governance.scan`: probes the kinds that peers declare, then lists all findings against them.
pub(super) async fn scan(platform: &Arc<Platform>) -> Answer {
    outbound::probe_capabilities(platform).await;
    platform.transaction(|tx| {
        governance::scan::scan(tx)?;
        let findings: Vec<Finding> = table::all(tx.db)?;
        let mut severities: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &findings {
            *severities.entry(&finding.severity).or_default() += 1;
        }
        Ok::<_, MethodError>(json!({
            "findings": findings, "finding_count": findings.len(), "severity_summary": severities,
        }))
    })
}

/// `overlay.list`
pub(super) fn overlay(platform: &Platform, given: Value) -> Answer {
    let given: OfPeer = parameters(given)?;
    platform.transaction(|tx| {
        let addresses: Vec<OverlayAddress> = match &given.peer_id {
            Some(peer_id) => table::of_peer(tx.db, peer_id)?,
            None => table::all(tx.db)?,
        };
        let shown: Vec<Value> = addresses.iter().map(|address| shown(tx, address)).collect();
        Ok(json!({ "addresses": shown }))
    })
}

/// Returns the JSON form of an address. It includes the state if unmounted addresses are listed too.
fn shown(tx: &Transaction<'_>, address: &OverlayAddress) -> Value {
    if !tx.policy.peering.lists_unmounted {
        return json!(address.address);
    }
    let status = if address.unmounted_at.is_none() { "active" } else { "revoked" };
    json!({"peer_id": address.peer_id, "address": address.address, "status": status})
}
