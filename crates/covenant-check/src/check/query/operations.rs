//! Operations of the operator plane.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::calls::{CallQuery, calls};
use super::finding_identity::identity;
use crate::check::outcome::{OrUnproven, Stop};
use covenant_model::operator::{Method, without_nulls};
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::notice::Finding;
use covenant_model::wire::path::Route;

/// Returns the last operation with this label, which has to have a result. Otherwise the check is unproven
/// for this reason.
pub(in crate::check) fn succeeded_operation<'a>(
    trace: &'a Trace,
    label: &str,
    reason: &str,
) -> Result<(u64, &'a Operation), Stop> {
    trace.operation(label).filter(|(_, operation)| operation.failure.is_none()).or_unproven(reason)
}

/// Returns every operation of this method, in order.
pub(in crate::check) fn operations_of(
    trace: &Trace,
    method: Method,
) -> impl DoubleEndedIterator<Item = &Operation> {
    trace.operations([method]).map(|(_, operation)| operation)
}

/// The result of one `governance.scan`.
#[derive(Clone, Debug)]
pub(in crate::check) struct Scan {
    /// The number of the entry.
    pub n: u64,
    /// All findings.
    pub findings: Vec<Finding>,
}

/// Returns the scan with this label.
pub(in crate::check) fn scan(trace: &Trace, label: &str) -> Result<Scan, Stop> {
    let read = || {
        let (n, operation) = trace.operation(label)?;
        let list = operation.result.as_ref()?.get("findings")?.clone();
        Some(Scan { n, findings: serde_json::from_value(without_nulls(list)).ok()? })
    };
    read().or_unproven("the findings could not be read")
}

/// Returns the scans before and after something, by their labels.
pub(in crate::check) fn scans(trace: &Trace, before: &str, after: &str) -> Result<(Scan, Scan), Stop> {
    Ok((scan(trace, before)?, scan(trace, after)?))
}

impl Scan {
    /// Returns the findings about a peer that an earlier scan does not have. One that was there keeps its identity while
    /// it ages.
    pub(in crate::check) fn new_about<'a>(&'a self, before: &Self, peer_id: &str) -> Vec<&'a Finding> {
        let about = |finding: &&Finding| finding.federation_peer_id.as_deref() == Some(peer_id);
        let known: BTreeSet<String> = before.findings.iter().filter(about).map(identity).collect();
        let new = self.findings.iter().filter(about);
        new.filter(|finding| !known.contains(&identity(finding))).collect()
    }
}

impl Scan {
    /// Returns the findings about a peer that stood before, and stand in this scan too.
    pub(in crate::check) fn standing_about<'a>(&'a self, before: &Self, peer_id: &str) -> Vec<&'a Finding> {
        let new = self.new_about(before, peer_id);
        let about = self.findings.iter().filter(|found| found.federation_peer_id.as_deref() == Some(peer_id));
        about.filter(|finding| !new.contains(finding)).collect()
    }

    /// Returns how often each kind of finding was raised about a peer. A finding may count several times.
    pub(in crate::check) fn times_about(&self, peer_id: &str) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for finding in self.findings.iter().filter(|one| one.federation_peer_id.as_deref() == Some(peer_id)) {
            *counts.entry(finding.kind.clone()).or_default() += times(finding).clamp(1, 99);
        }
        counts
    }

    /// Returns in words that no finding about a peer is new, and which are new about others.
    pub(in crate::check) fn nothing_about(&self, before: &Self, peer_id: &str) -> String {
        let of = |finding: &Finding| (finding.federation_peer_id.clone(), identity(finding));
        let known: BTreeSet<_> = before.findings.iter().map(of).collect();
        let is_other = |finding: &&Finding| finding.federation_peer_id.as_deref() != Some(peer_id);
        let others = self.findings.iter().filter(is_other).filter(|other| !known.contains(&of(other)));
        let kinds: BTreeSet<&str> = others.map(|finding| finding.kind.as_str()).collect();
        if kinds.is_empty() {
            return "no finding was raised".to_owned();
        }
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
        format!("no finding was raised about the peer, only about others: {kinds}")
    }
}

/// Returns how many times a finding was raised, if it counts them.
fn times(finding: &Finding) -> u64 {
    let counts = [finding.extra.get("count"), finding.payload.get("count")];
    counts.into_iter().flatten().find_map(Value::as_u64).unwrap_or(1)
}

/// Returns the id under which the target stores a peer: from the peer's accept, or from the target's join,
/// whose label `peer` may also be.
pub(in crate::check) fn peer_id(trace: &Trace, peer: &str) -> Option<String> {
    let of = |value: &Value| value.get("peer_id").and_then(Value::as_str).map(ToOwned::to_owned);
    let mut accepts = calls(trace).of(peer).made_by_peer().on(Route::Accept);
    let accepted = accepts.find_map(|call| of(&call.exchange.data()?));
    accepted.or_else(|| of(trace.operation(peer)?.1.result.as_ref()?))
}

/// Returns the peer in the result of `peer.show` with this label.
pub(in crate::check) fn peer_shown<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a Value)> {
    let (n, operation) = trace.operation(label)?;
    Some((n, operation.result.as_ref()?.get("peer")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    #[test]
    fn a_member_of_a_finding_may_be_null() {
        let shown = |finding: Value| {
            let trace =
                TraceBuilder::new().operation("shown", "governance.scan", json!({"findings": [finding]}));
            scan(&trace.trace(), "shown").map(|scan| scan.findings.len()).ok()
        };
        let whole = json!({"kind": "drift", "severity": "low", "federation_peer_id": "p", "message": "m", "payload": {}});
        for member in ["kind", "severity", "federation_peer_id", "message", "payload"] {
            let mut finding = whole.clone();
            finding[member] = Value::Null;
            assert_eq!(shown(finding), Some(1), "{member}");
        }
        assert_eq!(shown(json!("drift")), None);
    }

    #[test]
    fn findings_about_others_are_not_called_none() {
        let scan = |about: &[&str]| {
            let finding = |id: &&str| json!({"kind": "drift", "federation_peer_id": id});
            let findings = about.iter().map(|id| serde_json::from_value(finding(id)).expect("a finding"));
            Scan { n: 1, findings: findings.collect() }
        };
        let text = |before: &[&str], after: &[&str]| scan(after).nothing_about(&scan(before), "p");
        assert_eq!(text(&[], &[]), "no finding was raised");
        assert_eq!(text(&["a"], &["a"]), "no finding was raised");
        assert_eq!(
            text(&["a"], &["a", "b"]),
            "no finding was raised about the peer, only about others: drift"
        );
    }
}
