//! `event.list` and `governance.scan`: the events and findings that the operator reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::governance;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{Finding, OperatorEvent};
use crate::store::table;
use covenant_model::operator::governance::{GovernanceMethod, ListEvents, Scan};

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: GovernanceMethod, given: Value) -> Answer {
    match method {
        GovernanceMethod::ListEvents => events(platform, &parameters(given)?),
        GovernanceMethod::Scan => scan(platform, &parameters(given)?).await,
    }
}

/// `event.list`
fn events(platform: &Platform, given: &ListEvents) -> Answer {
    platform.transaction(|tx| {
        let mut events: Vec<OperatorEvent> = table::all(tx.db)?;
        events.retain(|event| given.since.is_none_or(|since| event.emitted_at >= since));
        Ok(json!({ "events": events }))
    })
}

/// `governance.scan`: probes the kinds that peers declare, then lists all findings against them.
async fn scan(platform: &Arc<Platform>, _: &Scan) -> Answer {
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
